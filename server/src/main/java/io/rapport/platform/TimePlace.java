package io.rapport.platform;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.UUID;

/** A place in a list that is ordered by a time and, where that is the same, by an id. */
public record TimePlace(Instant time, UUID id) {
  private static final int SIZE = 3 * Long.BYTES;

  /** Reads what {@link #toCursor} gave. */
  public static TimePlace ofCursor(byte[] cursor) {
    ByteBuffer bytes = ByteBuffer.wrap(cursor);
    return new TimePlace(
        Times.instant(bytes.getLong()), new UUID(bytes.getLong(), bytes.getLong()));
  }

  /** The place as a page token keeps it. */
  public byte[] toCursor() {
    return ByteBuffer.allocate(SIZE)
        .putLong(Times.micros(time))
        .putLong(id.getMostSignificantBits())
        .putLong(id.getLeastSignificantBits())
        .array();
  }
}
