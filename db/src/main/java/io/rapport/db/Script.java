package io.rapport.db;

import java.util.Optional;

/** One file that changes the schema: forward to its version, or back from it. */
public record Script(int version, String file, String sql) {
  /** What the file does, as its name says. */
  public String description() {
    return file.replaceFirst("^[VU]\\d+__", "").replaceFirst("\\.sql$", "").replace('_', ' ');
  }

  /** The index that the file builds beside running writes, if that is what it does. */
  Optional<ConcurrentIndex> concurrentIndex() {
    return ConcurrentIndex.in(sql);
  }
}
