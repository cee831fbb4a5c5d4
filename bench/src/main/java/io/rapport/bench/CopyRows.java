package io.rapport.bench;

import com.google.protobuf.Timestamp;
import io.rapport.tracking.v1.Event;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;

/** Encodes rows for a binary COPY. */
final class CopyRows {
  private static final byte[] SIGNATURE =
      "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0".getBytes(StandardCharsets.ISO_8859_1);
  private static final int JSONB_VERSION = 1;
  private static final long SECONDS_FROM_1970_TO_2000 = 946_684_800;
  private static final int LARGEST_ROW = 512;
  private static final int INITIAL = 1 << 20;

  private ByteBuffer out = ByteBuffer.allocate(INITIAL).put(SIGNATURE);

  CopyRows row(int columns) {
    room(LARGEST_ROW);
    out.putShort((short) columns);
    return this;
  }

  CopyRows uuid(UUID value) {
    out.putInt(16).putLong(value.getMostSignificantBits()).putLong(value.getLeastSignificantBits());
    return this;
  }

  CopyRows text(String value) {
    return value.isEmpty() ? absent() : bytes(value.getBytes(StandardCharsets.UTF_8));
  }

  CopyRows bytes(byte[] value) {
    room(value.length + LARGEST_ROW);
    out.putInt(value.length).put(value);
    return this;
  }

  CopyRows json(Event event) {
    byte[] value = event.getDataJson().toByteArray();
    room(value.length + LARGEST_ROW);
    out.putInt(value.length + 1).put((byte) JSONB_VERSION).put(value);
    return this;
  }

  CopyRows time(Timestamp value) {
    return micros(
        (value.getSeconds() - SECONDS_FROM_1970_TO_2000) * 1_000_000 + value.getNanos() / 1_000);
  }

  CopyRows micros(long from2000) {
    out.putInt(Long.BYTES).putLong(from2000);
    return this;
  }

  CopyRows minutes(int value) {
    out.putInt(Short.BYTES).putShort((short) value);
    return this;
  }

  CopyRows absent() {
    out.putInt(-1);
    return this;
  }

  /** All rows and the end of them. */
  ByteBuffer finish() {
    return out.putShort((short) -1).flip();
  }

  private void room(int bytes) {
    if (out.remaining() < bytes) {
      byte[] grown =
          Arrays.copyOf(out.array(), Math.max(out.capacity() * 2, out.position() + bytes));
      out = ByteBuffer.wrap(grown).position(out.position());
    }
  }
}
