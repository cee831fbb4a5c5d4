package io.rapport.tracking.event;

import io.rapport.platform.Times;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.UUID;

/** The place of an event in a list: its time by the list's clock, and its id. */
record EventPlace(Instant time, UUID id) {
  private static final int SIZE = 3 * Long.BYTES;

  static EventPlace ofCursor(byte[] cursor) {
    ByteBuffer bytes = ByteBuffer.wrap(cursor);
    return new EventPlace(
        Times.instant(bytes.getLong()), new UUID(bytes.getLong(), bytes.getLong()));
  }

  byte[] toCursor() {
    return ByteBuffer.allocate(SIZE)
        .putLong(Times.micros(time))
        .putLong(id.getMostSignificantBits())
        .putLong(id.getLeastSignificantBits())
        .array();
  }
}
