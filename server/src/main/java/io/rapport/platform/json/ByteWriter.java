package io.rapport.platform.json;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;

/** A growing array of bytes, written big-endian as PostgreSQL and our digests want it. */
public final class ByteWriter {
  private byte[] bytes;
  private int size;

  public ByteWriter(int capacity) {
    this.bytes = new byte[capacity];
  }

  public ByteWriter putByte(int value) {
    room(Byte.BYTES);
    bytes[size++] = (byte) value;
    return this;
  }

  public ByteWriter putShort(int value) {
    room(Short.BYTES);
    bytes[size++] = (byte) (value >> 8);
    bytes[size++] = (byte) value;
    return this;
  }

  public ByteWriter putInt(int value) {
    return putShort(value >> 16).putShort(value);
  }

  public ByteWriter putLong(long value) {
    return putInt((int) (value >> 32)).putInt((int) value);
  }

  public ByteWriter putUuid(UUID value) {
    return putLong(value.getMostSignificantBits()).putLong(value.getLeastSignificantBits());
  }

  public ByteWriter putBytes(byte[] value) {
    return putBytes(value, 0, value.length);
  }

  public ByteWriter putBytes(byte[] value, int offset, int length) {
    room(length);
    System.arraycopy(value, offset, bytes, size, length);
    size += length;
    return this;
  }

  public ByteWriter putBytes(ByteString value) {
    room(value.size());
    value.copyTo(bytes, size);
    size += value.size();
    return this;
  }

  /** The text in UTF-8. */
  public ByteWriter putText(String value) {
    int length = value.length();
    room(length);
    for (int i = 0; i < length; i++) {
      char c = value.charAt(i);
      if (c >= 0x80) {
        return putBytes(value.substring(i).getBytes(StandardCharsets.UTF_8));
      }
      bytes[size++] = (byte) c;
    }
    return this;
  }

  /** Leaves room for an int, to be filled by {@link #setInt}. */
  public int reserveInt() {
    int place = size;
    putInt(0);
    return place;
  }

  public void setInt(int place, int value) {
    ByteBuffer.wrap(bytes).putInt(place, value);
  }

  public int size() {
    return size;
  }

  public void clear() {
    size = 0;
  }

  public byte[] array() {
    return bytes;
  }

  public byte[] copy() {
    return Arrays.copyOf(bytes, size);
  }

  private void room(int more) {
    if (size + more > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(size + more, bytes.length * 2));
    }
  }
}
