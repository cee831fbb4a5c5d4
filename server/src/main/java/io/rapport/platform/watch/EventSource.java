package io.rapport.platform.watch;

import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/** Reads the events behind the log's entries, each of which stands for all of a commit. */
public interface EventSource {
  /**
   * An entry of the log.
   *
   * @param after the last event that is not wanted; null: all are
   */
  record Entry(long position, int ordinal, Instant recordedAt, long batch, @Nullable UUID after) {}

  /** The first events of the entries that are selected, in the order of entry and id. */
  List<LoggedChange> read(
      DSLContext dsl, UUID tenant, List<Entry> entries, Selection selection, int limit);
}
