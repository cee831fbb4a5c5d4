package io.rapport.monitoring.prediction;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.UnsafeByteOperations;
import io.rapport.platform.ServiceException;
import io.rapport.platform.json.ByteWriter;
import io.rapport.platform.json.Json;
import io.rapport.platform.json.JsonWriter;
import io.rapport.platform.v1.ErrorReason;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads fields that are JSON objects, of at most 64 KiB, into their one form. For one thread. */
final class JsonField {
  private static final int MAX_BYTES = 65_536;
  private static final int TYPICAL_SIZE = 1024;

  private final ByteWriter bytes = new ByteWriter(TYPICAL_SIZE);

  /**
   * A JSON object in its one form.
   *
   * @param keys how many keys it has itself
   */
  record Value(ByteString text, int keys) {}

  Value of(ByteString sent, String field) {
    requireSize(sent.size(), field);
    return value(Json.parse(sent.toByteArray(), field), field);
  }

  Value of(Struct sent, String field) {
    return value(Json.parse(sent, field), field);
  }

  private Value value(Map<String, @Nullable Object> object, String field) {
    bytes.clear();
    JsonWriter.write(object, bytes);
    requireSize(bytes.size(), field);
    return new Value(UnsafeByteOperations.unsafeWrap(bytes.copy()), object.size());
  }

  private static void requireSize(int size, String field) {
    if (size > MAX_BYTES) {
      throw ServiceException.invalid(
          field, ErrorReason.INVALID_FIELD, "must have at most 65536 bytes as JSON");
    }
  }

  /** Stored JSON in its one form: PostgreSQL has another. */
  static ByteString stored(String json) {
    ByteWriter out = new ByteWriter(TYPICAL_SIZE);
    JsonWriter.write(Json.parseStored(json.getBytes(StandardCharsets.UTF_8)), out);
    return UnsafeByteOperations.unsafeWrap(out.copy());
  }

  /** Stored JSON as a Struct, if one can hold it. */
  static Optional<Struct> struct(ByteString stored) {
    Map<String, @Nullable Object> object = Json.parseStored(stored.toByteArray());
    return Json.fitsStruct(object) ? Optional.of(Json.toStruct(object)) : Optional.empty();
  }
}
