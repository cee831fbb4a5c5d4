package io.rapport.platform.resource;

import com.google.protobuf.ListValue;
import com.google.protobuf.NullValue;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import java.io.StringWriter;
import java.util.Map;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** Structs as JSON and back. A number of which a double may have lost digits is refused. */
public final class StructJson {
  private static final JsonFactory JSON = new JsonFactory();
  private static final int MAX_DEPTH = 32;
  private static final double EXACT = 1L << 53;

  private StructJson() {}

  /**
   * @param path where the struct stands in the request
   */
  public static String write(Struct struct, String path) {
    StringWriter text = new StringWriter();
    try (JsonGenerator out = JSON.createGenerator(ObjectWriteContext.empty(), text)) {
      write(struct, out, path, 1);
    }
    return text.toString();
  }

  private static void write(Struct struct, JsonGenerator out, String path, int depth) {
    requireDepth(depth, path);
    out.writeStartObject();
    for (Map.Entry<String, Value> field : struct.getFieldsMap().entrySet()) {
      out.writeName(field.getKey());
      write(field.getValue(), out, path + "." + field.getKey(), depth);
    }
    out.writeEndObject();
  }

  private static void write(Value value, JsonGenerator out, String path, int depth) {
    switch (value.getKindCase()) {
      case NULL_VALUE, KIND_NOT_SET -> out.writeNull();
      case BOOL_VALUE -> out.writeBoolean(value.getBoolValue());
      case STRING_VALUE -> out.writeString(value.getStringValue());
      case STRUCT_VALUE -> write(value.getStructValue(), out, path, depth + 1);
      case NUMBER_VALUE -> write(value.getNumberValue(), out, path);
      case LIST_VALUE -> {
        requireDepth(depth + 1, path);
        out.writeStartArray();
        value.getListValue().getValuesList().forEach(it -> write(it, out, path, depth + 1));
        out.writeEndArray();
      }
    }
  }

  private static void write(double number, JsonGenerator out, String path) {
    if (!Double.isFinite(number) || (number == Math.rint(number) && Math.abs(number) >= EXACT)) {
      throw ServiceException.invalid(
          path, ErrorReason.NUMBER_NOT_EXACT, "a double may have lost digits of it; send a string");
    }
    if (number == Math.rint(number)) {
      out.writeNumber((long) number);
    } else {
      out.writeNumber(number);
    }
  }

  private static void requireDepth(int depth, String path) {
    if (depth > MAX_DEPTH) {
      throw ServiceException.invalid(
          path, ErrorReason.JSON_TOO_DEEP, "is nested deeper than " + MAX_DEPTH + " levels");
    }
  }

  /** What was written so. */
  public static Struct read(String json) {
    try (JsonParser in = JSON.createParser(ObjectReadContext.empty(), json)) {
      in.nextToken();
      return struct(in);
    }
  }

  private static Struct struct(JsonParser in) {
    Struct.Builder struct = Struct.newBuilder();
    while (in.nextToken() != JsonToken.END_OBJECT) {
      String name = in.currentName();
      in.nextToken();
      struct.putFields(name, value(in));
    }
    return struct.build();
  }

  private static Value value(JsonParser in) {
    Value.Builder value = Value.newBuilder();
    switch (in.currentToken()) {
      case START_OBJECT -> value.setStructValue(struct(in));
      case START_ARRAY -> value.setListValue(list(in));
      case VALUE_STRING -> value.setStringValue(in.getString());
      case VALUE_TRUE -> value.setBoolValue(true);
      case VALUE_FALSE -> value.setBoolValue(false);
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> value.setNumberValue(in.getDoubleValue());
      default -> value.setNullValue(NullValue.NULL_VALUE);
    }
    return value.build();
  }

  private static ListValue list(JsonParser in) {
    ListValue.Builder list = ListValue.newBuilder();
    while (in.nextToken() != JsonToken.END_ARRAY) {
      list.addValues(value(in));
    }
    return list.build();
  }
}
