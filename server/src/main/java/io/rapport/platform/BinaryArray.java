package io.rapport.platform;

import java.nio.ByteBuffer;
import java.sql.Array;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.Oid;
import org.postgresql.jdbc.PgArray;

/**
 * Arrays as PostgreSQL's array_send gives them, of types whose values have a fixed width. The
 * driver writes such arrays as text, and reading that takes PostgreSQL longer than to insert the
 * keys.
 */
public final class BinaryArray {
  private static final int HEADER_BYTES = 5 * Integer.BYTES;
  private static final int NULL = -1;

  private final int arrayType;
  private final ByteBuffer bytes;

  private BinaryArray(int arrayType, int elementType, int elements, int elementBytes) {
    this.arrayType = arrayType;
    this.bytes = ByteBuffer.allocate(HEADER_BYTES + elements * (Integer.BYTES + elementBytes));
    int dimensions = 1;
    int hasNulls = 1; // which is only a hint
    int lowerBound = 1;
    bytes.putInt(dimensions).putInt(hasNulls).putInt(elementType).putInt(elements);
    bytes.putInt(lowerBound);
  }

  public static Array of(Connection connection, @Nullable UUID[] values) throws SQLException {
    int width = 2 * Long.BYTES;
    BinaryArray array = new BinaryArray(Oid.UUID_ARRAY, Oid.UUID, values.length, width);
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
        new BinaryArray(Oid.TIMESTAMPTZ_ARRAY, Oid.TIMESTAMPTZ, micros.length, width);
    for (Long value : micros) {
      if (value == null) {
        array.bytes.putInt(NULL);
      } else {
        array.bytes.putInt(width).putLong(Times.sincePostgresEpoch(value));
      }
    }
    return array.on(connection);
  }

  private Array on(Connection connection) throws SQLException {
    byte[] filled = new byte[bytes.flip().remaining()];
    bytes.get(filled);
    return new PgArray(connection.unwrap(BaseConnection.class), arrayType, filled);
  }
}
