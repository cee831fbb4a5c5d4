package io.rapport.search.audit;

import io.rapport.platform.TenantDb;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.search.v1.RecallAudit;
import io.rapport.search.v1.RecallAuditFilter;
import io.rapport.search.v1.SearchIndex;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** What there is to audit, and what came of it, of all tenants, in PostgreSQL. */
final class AuditWorkStore {
  private static final UUID NOBODY = new UUID(0, 0);

  /** What no tenant owns is left out: it is little. */
  private static final String SUBJECTS =
      """
      SELECT m.tenant_id, m.kind, m.model, a.audited_at
        FROM search.embedding_models m
        CROSS JOIN LATERAL (
          SELECT r.audited_at FROM search.recall_audits r
           WHERE r.tenant_id = m.tenant_id AND r.kind = m.kind AND r.model = m.model
             AND r.source = 'STORED_ROWS'
           ORDER BY r.audited_at DESC LIMIT 1) a
       WHERE m.state = 'ACTIVE' AND m.tenant_id <> '00000000-0000-0000-0000-000000000000'
       ORDER BY a.audited_at, m.tenant_id, m.kind
      """;

  private static final String ENOUGH =
      """
      (SELECT count(*) > {0} FROM (
        SELECT FROM search.embeddings e
         WHERE e.tenant_id = m.tenant_id AND e.kind = m.kind AND e.model = m.model
         LIMIT {0} + 1) rows)
      """;

  private static final String UNAUDITED =
      """
      SELECT m.tenant_id, m.kind, m.model, ENOUGH
        FROM search.embedding_models m
       WHERE m.state = 'ACTIVE' AND m.tenant_id <> '00000000-0000-0000-0000-000000000000'
         AND (m.tenant_id, m.kind, m.model) > ({1}, {2}, {3})
         AND NOT EXISTS (SELECT FROM search.recall_audits r
           WHERE r.tenant_id = m.tenant_id AND r.kind = m.kind AND r.model = m.model
             AND r.source = 'STORED_ROWS')
       ORDER BY m.tenant_id, m.kind, m.model LIMIT {4}
      """
          .replace("ENOUGH", ENOUGH);

  /** Low once, as far as audits are kept, and neither audited nor searched by the index now. */
  private static final String SETTLED =
      """
      SELECT l.tenant_id, l.kind, l.model FROM (
        SELECT tenant_id, kind, model FROM search.recall_audits
         GROUP BY tenant_id, kind, model
        HAVING bool_or(found < 0.9 * expected)
           AND max(audited_at) < now() - interval '10 seconds') l
       WHERE NOT EXISTS (SELECT FROM search.embedding_models m
         WHERE m.tenant_id = l.tenant_id AND m.kind = l.kind AND m.model = l.model
           AND m.state = 'ACTIVE' AND ENOUGH)
       ORDER BY l.tenant_id, l.kind, l.model
      """
          .replace("ENOUGH", ENOUGH);

  private static final String TURN =
      """
      SELECT pg_try_advisory_xact_lock(
        hashtextextended('search.audit/' || {0}::text || '/' || {1}, 0))
      """;

  private static final String REMOVE =
      """
      DELETE FROM search.recall_audits WHERE (tenant_id, id) IN (
        SELECT tenant_id, id FROM search.recall_audits
         WHERE audited_at < now() - interval '7 days' ORDER BY audited_at LIMIT 1000)
      """;

  private static final String INDEXES =
      """
      WITH newest AS (
        SELECT DISTINCT ON (tenant_id, kind, model) kind, found, expected
          FROM search.recall_audits WHERE audited_at > now() - interval '1 hour'
         ORDER BY tenant_id, kind, model, audited_at DESC
      ), low AS (
        SELECT kind, count(*) AS tenants FROM newest WHERE found < 0.9 * expected GROUP BY kind
      ), audited AS (
        SELECT kind, sum(searches)::bigint AS searches,
          sum(found)::double precision / sum(expected) AS recall
          FROM search.recall_audits WHERE audited_at > now() - interval '1 hour' GROUP BY kind
      )
      SELECT i.*, COALESCE(a.searches, 0) AS searches, a.recall,
        COALESCE(l.tenants, 0)::integer AS low_tenants
        FROM search.indexes() i LEFT JOIN audited a USING (kind) LEFT JOIN low l USING (kind)
       ORDER BY i.kind, i.name
      """;

  private final TenantDb system;
  private final AuditStore audits = new AuditStore();

  /**
   * @param system the database as the system role sees it
   */
  AuditWorkStore(TenantDb system) {
    this.system = system;
  }

  /** What was audited, and when it last was. */
  record Candidate(Subject subject, Instant auditedAt) {
    boolean wasAuditedWithin(Duration span, Instant now) {
      return auditedAt.isAfter(now.minus(span));
    }
  }

  /** What never was audited, and whether it has rows enough for that. */
  record Unaudited(Subject subject, boolean enough) {}

  /** What was audited; that first which wasn't for longest. */
  List<Candidate> audited() {
    return system.read(
        NOBODY,
        dsl ->
            dsl.fetch(SUBJECTS).map(row -> new Candidate(subject(row), row.get(3, Instant.class))));
  }

  /** The next that never were audited, in the order of their subjects. */
  List<Unaudited> unaudited(Optional<Subject> after, int minRows, int limit) {
    Subject from = after.orElse(new Subject(NOBODY, "", ""));
    return system.read(
        NOBODY,
        dsl ->
            dsl.fetch(
                    UNAUDITED,
                    DSL.val(minRows),
                    DSL.val(from.tenant()),
                    DSL.val(from.kind()),
                    DSL.val(from.model()),
                    DSL.val(limit))
                .map(row -> new Unaudited(subject(row), row.get(3, Boolean.class))));
  }

  /** What once was low, and isn't searched by the index any more. */
  List<Subject> settled(int minRows) {
    return system.read(
        NOBODY, dsl -> dsl.fetch(SETTLED, DSL.val(minRows)).map(AuditWorkStore::subject));
  }

  private static Subject subject(Record row) {
    return new Subject(row.get(0, UUID.class), row.get(1, String.class), row.get(2, String.class));
  }

  /** Whether no other server is at it. */
  boolean takeTurn(DSLContext tx, Subject subject) {
    return tx.fetchSingle(TURN, DSL.val(subject.tenant()), DSL.val(subject.kind()))
        .get(0, Boolean.class);
  }

  /** Removes some that are too old; false if there are no more. */
  boolean removeOld() {
    return system.write(NOBODY, tx -> tx.execute(REMOVE) > 0);
  }

  /** All tenants' audits that pass, the newest first. */
  List<RecallAudit> list(RecallAuditFilter filter, @Nullable TimePlace after, int limit) {
    return system.read(NOBODY, dsl -> audits.list(dsl, null, filter, after, limit));
  }

  List<SearchIndex> indexes() {
    return system.read(NOBODY, dsl -> dsl.fetch(INDEXES).map(AuditWorkStore::index));
  }

  private static SearchIndex index(Record row) {
    SearchIndex.Builder index =
        SearchIndex.newBuilder()
            .setKind(row.get("kind", String.class))
            .setName(row.get("name", String.class))
            .setValid(row.get("valid", Boolean.class))
            .setSizeBytes(row.get("bytes", Long.class))
            .setEstimatedRows(row.get("estimated_rows", Long.class))
            .setAuditedSearches(row.get("searches", Long.class))
            .setLowTenants(row.get("low_tenants", Integer.class));
    Double recall = row.get("recall", Double.class);
    if (recall != null) {
      index.setRecall(recall);
    }
    if (row.get("phase", String.class) != null) {
      index.setBuild(build(row));
    }
    return index.build();
  }

  private static SearchIndex.Build build(Record row) {
    return SearchIndex.Build.newBuilder()
        .setPhase(row.get("phase", String.class))
        .setRowsDone(row.get("rows_done", Long.class))
        .setRowsTotal(row.get("rows_total", Long.class))
        .setBlocksDone(row.get("blocks_done", Long.class))
        .setBlocksTotal(row.get("blocks_total", Long.class))
        .setStartedAt(Times.proto(row.get("started_at", Instant.class)))
        .build();
  }
}
