package io.rapport.platform;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Array;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.Oid;
import org.postgresql.jdbc.PgArray;

/**
 * Arrays as PostgreSQL's array_send gives them. The driver writes arrays as text, and reading that
 * takes PostgreSQL longer than to insert the keys.
 */
public final class BinaryArray {
  private static final int HEADER_BYTES = 5 * Integer.BYTES;
  private static final int NULL = -1;
  private static final int JSONB_VERSION = 1;

  private final int arrayType;
  private final ByteBuffer bytes;

  private BinaryArray(int arrayType, int elementType, int elements, long valueBytes) {
    this.arrayType = arrayType;
    this.bytes =
        ByteBuffer.allocate(
            Math.toIntExact(HEADER_BYTES + (long) elements * Integer.BYTES + valueBytes));
    int dimensions = elements == 0 ? 0 : 1;
    int hasNulls = 1; // which is only a hint
    int lowerBound = 1;
    bytes.putInt(dimensions).putInt(hasNulls).putInt(elementType);
    if (elements > 0) {
      bytes.putInt(elements).putInt(lowerBound);
    }
  }

  public static Array of(Connection connection, @Nullable UUID[] values) throws SQLException {
    int width = 2 * Long.BYTES;
    BinaryArray array =
        new BinaryArray(Oid.UUID_ARRAY, Oid.UUID, values.length, (long) values.length * width);
    for (UUID value : values) {
      if (value == null) {
        array.bytes.putInt(NULL);
      } else {
        array.bytes.putInt(width);
        array.bytes.putLong(value.getMostSignificantBits());
        array.bytes.putLong(value.getLeastSignificantBits());
      }
    }
    return array.on(connection);
  }

  /**
   * @param micros times since 1970
   */
  public static Array ofTimes(Connection connection, @Nullable Long[] micros) throws SQLException {
    int width = Long.BYTES;
    BinaryArray array =
        new BinaryArray(
            Oid.TIMESTAMPTZ_ARRAY, Oid.TIMESTAMPTZ, micros.length, (long) micros.length * width);
    for (Long value : micros) {
      if (value == null) {
        array.bytes.putInt(NULL);
      } else {
        array.bytes.putInt(width).putLong(Times.sincePostgresEpoch(value));
      }
    }
    return array.on(connection);
  }

  /** An array of double precision. */
  public static Array ofDoubles(Connection connection, @Nullable Double[] values)
      throws SQLException {
    int width = Double.BYTES;
    BinaryArray array =
        new BinaryArray(Oid.FLOAT8_ARRAY, Oid.FLOAT8, values.length, (long) values.length * width);
    for (Double value : values) {
      if (value == null) {
        array.bytes.putInt(NULL);
      } else {
        array.bytes.putInt(width).putDouble(value);
      }
    }
    return array.on(connection);
  }

  /** An array of real. */
  public static Array ofReals(Connection connection, float[] values) throws SQLException {
    int width = Float.BYTES;
    BinaryArray array =
        new BinaryArray(Oid.FLOAT4_ARRAY, Oid.FLOAT4, values.length, (long) values.length * width);
    for (float value : values) {
      array.bytes.putInt(width).putFloat(value);
    }
    return array.on(connection);
  }

  /** An array of integer. */
  public static Array ofInts(Connection connection, @Nullable Integer[] values)
      throws SQLException {
    int width = Integer.BYTES;
    BinaryArray array =
        new BinaryArray(Oid.INT4_ARRAY, Oid.INT4, values.length, (long) values.length * width);
    for (Integer value : values) {
      if (value == null) {
        array.bytes.putInt(NULL);
      } else {
        array.bytes.putInt(width).putInt(value);
      }
    }
    return array.on(connection);
  }

  /** An array of text. */
  public static Array ofTexts(Connection connection, @Nullable String[] values)
      throws SQLException {
    byte[] @Nullable [] utf8 = new byte[values.length][];
    long size = 0;
    for (int i = 0; i < values.length; i++) {
      String value = values[i];
      if (value != null) {
        byte[] encoded = value.getBytes(StandardCharsets.UTF_8);
        utf8[i] = encoded;
        size += encoded.length;
      }
    }
    BinaryArray array = new BinaryArray(Oid.TEXT_ARRAY, Oid.TEXT, values.length, size);
    for (byte[] value : utf8) {
      if (value == null) {
        array.bytes.putInt(NULL);
      } else {
        array.bytes.putInt(value.length).put(value);
      }
    }
    return array.on(connection);
  }

  /** An array of bytea. */
  public static Array ofBytes(Connection connection, @Nullable ByteString[] values)
      throws SQLException {
    BinaryArray array = new BinaryArray(Oid.BYTEA_ARRAY, Oid.BYTEA, values.length, size(values));
    for (ByteString value : values) {
      if (value == null) {
        array.bytes.putInt(NULL);
      } else {
        array.bytes.putInt(value.size());
        value.copyTo(array.bytes);
      }
    }
    return array.on(connection);
  }

  /** An array of jsonb, of JSON in UTF-8. */
  public static Array ofJson(Connection connection, @Nullable ByteString[] values)
      throws SQLException {
    BinaryArray array =
        new BinaryArray(Oid.JSONB_ARRAY, Oid.JSONB, values.length, size(values) + values.length);
    for (ByteString value : values) {
      if (value == null) {
        array.bytes.putInt(NULL);
      } else {
        array.bytes.putInt(1 + value.size()).put((byte) JSONB_VERSION);
        value.copyTo(array.bytes);
      }
    }
    return array.on(connection);
  }

  private static long size(@Nullable ByteString[] values) {
    long size = 0;
    for (ByteString value : values) {
      size += value == null ? 0 : value.size();
    }
    return size;
  }

  private Array on(Connection connection) throws SQLException {
    byte[] filled = new byte[bytes.flip().remaining()];
    bytes.get(filled);
    return new PgArray(connection.unwrap(BaseConnection.class), arrayType, filled);
  }
}
