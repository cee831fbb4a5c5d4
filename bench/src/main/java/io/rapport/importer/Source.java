package io.rapport.importer;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** The file that is imported, or standard input; knows how far it was read. */
final class Source implements AutoCloseable {
  /** What stands for standard input. */
  static final String STANDARD_INPUT = "-";

  private final String name;
  private final long size;
  private final Counted in;

  private Source(String name, long size, InputStream in) {
    this.name = name;
    this.size = size;
    this.in = new Counted(in);
  }

  static Source open(String file) throws IOException {
    if (file.equals(STANDARD_INPUT)) {
      return new Source("standard input", -1, System.in);
    }
    Path path = Path.of(file);
    return new Source(file, Files.size(path), Files.newInputStream(path));
  }

  String name() {
    return name;
  }

  /** Its bytes; -1 if nobody knows. */
  long size() {
    return size;
  }

  /** How many bytes were read. */
  long position() {
    return in.bytes;
  }

  Lines lines() throws IOException {
    if (size == 0 && name.endsWith(".gz")) {
      throw new IOException("it is empty, which no gzip file is");
    }
    return Lines.of(in);
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  private static final class Counted extends FilterInputStream {
    private long bytes;

    Counted(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      int value = super.read();
      bytes += value < 0 ? 0 : 1;
      return value;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      int count = super.read(target, offset, length);
      bytes += Math.max(0, count);
      return count;
    }
  }
}
