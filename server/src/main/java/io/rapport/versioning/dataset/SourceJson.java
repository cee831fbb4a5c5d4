package io.rapport.versioning.dataset;

import com.google.protobuf.Value;
import io.rapport.versioning.v1.SourceCondition;
import java.io.StringWriter;
import java.util.List;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** The conditions of a source as the table has them. */
final class SourceJson {
  private static final JsonFactory JSON = new JsonFactory();

  private SourceJson() {}

  static String write(List<SourceCondition> conditions) {
    StringWriter text = new StringWriter();
    try (JsonGenerator out = JSON.createGenerator(ObjectWriteContext.empty(), text)) {
      out.writeStartArray();
      conditions.forEach(condition -> write(condition, out));
      out.writeEndArray();
    }
    return text.toString();
  }

  private static void write(SourceCondition condition, JsonGenerator out) {
    out.writeStartObject();
    out.writeName("path");
    out.writeStartArray();
    for (String part : condition.getProperty().split("\\.", -1)) {
      out.writeString(part);
    }
    out.writeEndArray();
    out.writeName("values");
    out.writeStartArray();
    condition.getValuesList().forEach(value -> write(value, out));
    out.writeEndArray();
    out.writeEndObject();
  }

  private static void write(Value value, JsonGenerator out) {
    switch (value.getKindCase()) {
      case STRING_VALUE -> out.writeString(value.getStringValue());
      case BOOL_VALUE -> out.writeBoolean(value.getBoolValue());
      case NUMBER_VALUE -> out.writeNumber(value.getNumberValue());
      case NULL_VALUE, STRUCT_VALUE, LIST_VALUE, KIND_NOT_SET ->
          throw new IllegalArgumentException("not a scalar");
    }
  }
}
