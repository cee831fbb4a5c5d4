package io.rapport.platform;

/**
 * What an area does about changes, in the very transaction that makes them and for all of them at
 * once: a statement of SQL, which becomes part of the one that ends the write.
 *
 * <p>It may read two relations. {@code changes (tenant_id, kind, op, entity_id, user_id, revision,
 * event_type, row_count, last_occurred_at)} has a row for each change; events that are recorded
 * have one for each user and type, of kind {@link #EVENT}, and only they have the last three
 * columns. {@code events} has the recorded events themselves and no rows else; to read it isn't
 * cheap.
 *
 * <p>Rows that are locked must be locked in the order of their key, by every subscriber of a table.
 */
public interface ChangeSubscriber {
  /** The kind of recorded events. */
  String EVENT = "event";

  /**
   * The kind of recorded events with texts that are to be found by search. Who is concerned by it
   * may read a further relation, {@code searchable (tenant_id, event_id)}: which events these are.
   */
  String TEXT = "event text";

  /** Whether changes of this kind concern it. */
  boolean concerns(String kind);

  /** An {@code INSERT}, {@code UPDATE} or {@code DELETE} that ends with {@code RETURNING 1}. */
  String statement();
}
