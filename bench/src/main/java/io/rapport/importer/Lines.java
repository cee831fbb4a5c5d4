package io.rapport.importer;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/** The lines of a file, plain or compressed by gzip, without copying more than it must. */
final class Lines implements AutoCloseable {
  static final int MAX_BYTES = 1 << 20;
  private static final int GZIP_MAGIC = 0x8b1f;

  /** A line in a buffer that is only good until the next one is asked for. */
  static final class Line {
    private final byte[] buffer;
    private final int offset;
    private final int length;

    Line(byte[] buffer, int offset, int length) {
      this.buffer = buffer;
      this.offset = offset;
      this.length = length;
    }

    byte[] buffer() {
      return buffer;
    }

    int offset() {
      return offset;
    }

    int length() {
      return length;
    }

    boolean tooLong() {
      return length > MAX_BYTES;
    }

    boolean blank() {
      for (int i = offset; i < offset + length; i++) {
        if (buffer[i] > ' ' || buffer[i] < 0) {
          return false;
        }
      }
      return true;
    }
  }

  private final InputStream in;
  private byte[] buffer = new byte[1 << 18];
  private int start;
  private int end;
  private long number;

  private Lines(InputStream in) {
    this.in = in;
  }

  static Lines of(InputStream raw) throws IOException {
    BufferedInputStream in = new BufferedInputStream(raw, 1 << 16);
    in.mark(2);
    int magic = in.read() | in.read() << 8;
    in.reset();
    return new Lines(magic == GZIP_MAGIC ? new GZIPInputStream(in, 1 << 16) : in);
  }

  /** The number of the last line given, from 1. */
  long number() {
    return number;
  }

  /**
   * The next line without its end; null after the last. Of a line too long only the start is kept.
   */
  @Nullable Line next() throws IOException {
    int searched = start;
    while (true) {
      int newline = find(searched);
      if (newline >= 0) {
        return line(newline, newline + 1);
      }
      searched = end;
      if (end - start > MAX_BYTES) {
        return cut();
      }
      int kept = searched - start;
      if (!fill()) {
        return end > start ? line(end, end) : null;
      }
      searched = start + kept;
    }
  }

  private int find(int from) {
    for (int i = from; i < end; i++) {
      if (buffer[i] == '\n') {
        return i;
      }
    }
    return -1;
  }

  private Line line(int lineEnd, int next) {
    Line line = new Line(buffer, start, lineEnd - start);
    start = next;
    number++;
    return line;
  }

  private Line cut() throws IOException {
    Line line = line(end, end);
    while (true) {
      start = 0;
      end = Math.max(0, in.read(buffer));
      int newline = find(0);
      if (newline >= 0 || end == 0) {
        start = newline + 1;
        return line;
      }
    }
  }

  private boolean fill() throws IOException {
    if (start > 0) {
      System.arraycopy(buffer, start, buffer, 0, end - start);
      end -= start;
      start = 0;
    }
    if (end == buffer.length) {
      buffer = Arrays.copyOf(buffer, buffer.length * 2);
    }
    int read = in.read(buffer, end, buffer.length - end);
    end += Math.max(0, read);
    return read >= 0;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
