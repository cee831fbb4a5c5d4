package io.rapport.tracking.event;

import io.rapport.platform.ChangeLog;
import io.rapport.platform.ChangeSubscriber;
import java.util.List;

/**
 * The statements that record events. They are text and not jOOQ's DSL: they are what ingest stands
 * or falls with, and several of their parts (COPY, statements that share a round trip, what
 * subscribers add) are beyond it.
 */
record EventSql(
    String insertFew,
    String insertFewTexts,
    String insertIds,
    String insertMixedIds,
    String releaseIds,
    String afterCopy,
    String afterCopyOfTexts) {
  /**
   * A property that is declared while events are being written must miss none of them: who declares
   * one waits for the writers that may not have seen it. See PropertyStore.
   */
  private static final String LOCK =
      """
      SELECT count(pg_advisory_xact_lock_shared(
          hashtextextended('tracking.event_properties/' || tenant_id, 0)))
        FROM unnest(?::text[]) AS t (tenant_id);
      """;

  /**
   * Remembers the ids that are not taken. They must come in one order from all who do so, or these
   * could wait for each other.
   */
  private static final String INSERT_IDS =
      """
      WITH input AS %s, fresh AS (
        INSERT INTO tracking.event_ids (tenant_id, event_id, digest, recorded_at, state)
        SELECT tenant_id, id, digest, now(), %s FROM input
        ON CONFLICT DO NOTHING
        RETURNING tenant_id, event_id
      )
      """;

  /** The columns are those of {@link EventLogStore#insert}'s arrays. */
  private static final String EVENTS =
      """
      (
        SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::bytea[], ?::uuid[], ?::text[],
            ?::text[]::jsonb[], ?::text[], ?::timestamptz[], ?::smallint[], ?::timestamptz[],
            ?::integer[], ?::text[]::jsonb[])
          AS i (tenant_id, id, digest, user_id, event_type,
            event_data, event_text, occurred_at, utc_offset_minutes, received_at,
            contract_version, violations)
      )\
      """;

  private static final String IDS =
      """
      NOT MATERIALIZED (
        SELECT ?::uuid AS tenant_id, id, digest
          FROM unnest(?::uuid[], ?::bytea[]) AS i (id, digest)
      )\
      """;

  /** Makes the ids those of recorded events; their digest stays that of what was sent first. */
  private static final String RELEASE_IDS =
      """
      WITH input AS IDS, fresh AS (
        UPDATE tracking.event_ids e SET state = 'RECORDED', recorded_at = now()
          FROM input i
         WHERE e.tenant_id = i.tenant_id AND e.event_id = i.id AND e.state = 'QUARANTINED'
        RETURNING e.tenant_id, e.event_id
      )
      """
          .replace("IDS", IDS);

  private static final String MIXED_IDS =
      """
      (
        SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::bytea[], ?::text[])
          AS i (tenant_id, id, digest, state)
      )\
      """;

  private static final String RECORDED_STATE = "'RECORDED'";

  /** This transaction, by which the log finds its events. */
  private static final String BATCH = "pg_current_xact_id()::text::bigint";

  private static final String STORE =
      """
      , events AS (
        SELECT i.tenant_id, i.id, i.user_id, i.event_type, i.event_data, i.event_text,
          COALESCE(i.occurred_at, now()) AS occurred_at, i.utc_offset_minutes, i.received_at,
          now() AS recorded_at, i.contract_version, i.violations
          FROM input i JOIN fresh f ON f.tenant_id = i.tenant_id AND f.event_id = i.id
      ), stored AS (
        INSERT INTO tracking.behavioral_events (tenant_id, id, user_id, event_type, event_data,
          event_text, occurred_at, utc_offset_minutes, received_at, recorded_at,
          contract_version, violations, batch)
        SELECT events.*, BATCH FROM events
        RETURNING 1
      ), changes AS (
        SELECT tenant_id, 'event' AS kind, 'RECORDED' AS op, NULL::uuid AS entity_id, user_id,
          NULL::bigint AS revision, event_type, count(*)::integer AS row_count,
          max(LEAST(occurred_at, now())) AS last_occurred_at
          FROM events GROUP BY tenant_id, user_id, event_type
      )
      """
          .replace("BATCH", BATCH);

  /** Of the events that were copied before in this transaction. */
  private static final String COPIED =
      """
      WITH changes AS (
        SELECT ?::uuid AS tenant_id, 'event' AS kind, 'RECORDED' AS op, NULL::uuid AS entity_id,
          user_id, NULL::bigint AS revision, event_type, row_count,
          LEAST(occurred_at, now()) AS last_occurred_at
          FROM unnest(?::uuid[], ?::text[], ?::integer[], ?::timestamptz[])
            AS c (user_id, event_type, row_count, occurred_at)
      ), events AS (
        SELECT e.tenant_id, e.id, e.user_id, e.event_type, e.event_data, e.event_text,
          e.occurred_at, e.utc_offset_minutes, e.received_at, e.recorded_at
          FROM tracking.behavioral_events e
         WHERE e.tenant_id = (SELECT tenant_id FROM changes LIMIT 1)
           AND e.recorded_at = now() AND e.batch = BATCH
      )
      """
          .replace("BATCH", BATCH);

  private static final String ENTRIES =
      """
      , entries AS (
        SELECT tenant_id, 1 AS ordinal, 'event' AS kind, 'RECORDED' AS op, NULL::uuid AS entity_id,
          NULL::uuid AS user_id, NULL::bigint AS revision, sum(row_count)::integer AS row_count,
          BATCH AS batch
          FROM changes WHERE STORED GROUP BY tenant_id
      )
      """
          .replace("BATCH", BATCH);

  /** Which of the events have texts that are to be found. */
  private static final String SEARCHABLE =
      """
      , searchable AS (
        SELECT * FROM unnest(?::uuid[], ?::uuid[]) AS s (tenant_id, event_id)
      )
      """;

  /** The events must be there before the log's entry is: it locks the tenant's head. */
  private static final String AFTER_STORED =
      ENTRIES.replace("STORED", "(SELECT count(*) FROM stored) >= 0");

  private static final String AFTER_COPIED = ENTRIES.replace("STORED", "true");

  /** When they were recorded, and where and by what mark to copy them. */
  private static final String RECORDED =
      """
      SELECT NULL::uuid AS tenant_id, NULL::uuid AS id, NULL::bigint AS position, now(),
        tracking.event_partition(now())::name, BATCH
      """
          .replace("BATCH", BATCH);

  private static final String TAKEN =
      """
      UNION ALL
      SELECT tenant_id, id, NULL, NULL, NULL, NULL FROM input
       WHERE (SELECT count(*) FROM fresh) < (SELECT count(*) FROM input) AND NOT EXISTS (
         SELECT FROM fresh WHERE fresh.tenant_id = input.tenant_id AND fresh.event_id = input.id)
      """;

  private static final String POSITIONS =
      """
      UNION ALL
      SELECT tenant_id, NULL, position, NULL, NULL, NULL FROM head
      """;

  /** Statements that end with what {@code log} has to add. */
  static EventSql of(ChangeLog log) {
    String ending = log.ending(List.of(ChangeSubscriber.EVENT));
    String texts = SEARCHABLE + log.ending(List.of(ChangeSubscriber.EVENT, ChangeSubscriber.TEXT));
    String few = LOCK + INSERT_IDS.formatted(EVENTS, RECORDED_STATE) + STORE + AFTER_STORED;
    String answer = RECORDED + POSITIONS + TAKEN;
    return new EventSql(
        few + ending + answer,
        few + texts + answer,
        LOCK + INSERT_IDS.formatted(IDS, RECORDED_STATE) + RECORDED + TAKEN,
        LOCK + INSERT_IDS.formatted(MIXED_IDS, "state") + RECORDED + TAKEN,
        LOCK + RELEASE_IDS + RECORDED + TAKEN,
        COPIED + AFTER_COPIED + ending + "SELECT position FROM head",
        COPIED + AFTER_COPIED + texts + "SELECT position FROM head");
  }
}
