package io.rapport.platform.watch;

import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/** Lists what there is of a kind, for watches that begin with it. */
public interface InitialState {
  /** The kind of the entities. */
  String kind();

  /** Where a part of the list ends. */
  record Point(Instant at, UUID id) {}

  /**
   * The next entities that are selected and that no commit after {@code position} made, as changes
   * with op {@link LoggedChange#PRESENT} at the end of that commit.
   *
   * @param after the point of the last one before; null: from the first
   */
  List<LoggedChange> list(
      DSLContext dsl,
      UUID tenant,
      Selection selection,
      long position,
      @Nullable Point after,
      int limit);
}
