package io.rapport.search.audit;

import com.google.protobuf.Duration;
import io.rapport.platform.Ids;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.search.v1.Recall;
import io.rapport.search.v1.RecallAudit;
import io.rapport.search.v1.RecallAudit.Source;
import io.rapport.search.v1.RecallAuditFilter;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** A tenant's audits in PostgreSQL. */
final class AuditStore {
  private static final String INSERT =
      """
      INSERT INTO search.recall_audits (tenant_id, id, kind, model, source, neighbours, searches,
        expected, found, lowest_recall, duration_millis)
      VALUES ({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, {9}, {10})
      """;

  private static final String COLUMNS =
      """
      a.tenant_id, a.id, a.kind, a.model, a.source, a.neighbours, a.searches, a.expected, a.found,
        a.lowest_recall, a.duration_millis, a.audited_at
      """;

  /** All tenants' for the system, whose tenant is none. */
  private static final String LIST =
      "SELECT "
          + COLUMNS
          + """
            FROM search.recall_audits a
           WHERE ({0}::uuid IS NULL OR a.tenant_id = {0})
             AND ({1} = '' OR a.kind = {1}) AND ({2} = '' OR a.model = {2})
             AND a.audited_at >= COALESCE({3}::timestamptz, '-infinity')
             AND a.audited_at < COALESCE({4}::timestamptz, 'infinity')
             AND ({5}::timestamptz IS NULL OR (a.audited_at, a.id) < ({5}::timestamptz, {6}::uuid))
           ORDER BY a.audited_at DESC, a.id DESC LIMIT {7}
          """;

  private static final String NEWEST =
      """
      SELECT searches, expected, found, lowest_recall FROM search.recall_audits
       WHERE tenant_id = {0} AND kind = {1} AND model = {2} AND audited_at > now() - interval '1 day'
       ORDER BY audited_at DESC LIMIT 5
      """;

  private static final String KINDS =
      """
      SELECT kind, model, max(audited_at) AS audited_at FROM search.recall_audits
       WHERE tenant_id = {0} AND (cardinality({1}::text[]) = 0 OR kind = ANY ({1}::text[]))
         AND audited_at > now() - interval '1 day'
       GROUP BY kind, model ORDER BY kind, model
      """;

  void insert(
      DSLContext tx,
      Subject subject,
      Source source,
      int neighbours,
      Findings findings,
      java.time.Duration took) {
    tx.execute(
        INSERT,
        DSL.val(subject.tenant()),
        DSL.val(Ids.next()),
        DSL.val(subject.kind()),
        DSL.val(subject.model()),
        DSL.val(source.name()),
        DSL.val(neighbours),
        DSL.val(findings.searches()),
        DSL.val(findings.expected()),
        DSL.val(findings.found()),
        DSL.val(findings.lowest()),
        DSL.val(took.toNanos() / 1e6));
  }

  /** What the newest audits found together, as many as are needed to say something. */
  Findings newest(DSLContext dsl, Subject subject) {
    Findings sum = Findings.NONE;
    for (Record row :
        dsl.fetch(
            NEWEST, DSL.val(subject.tenant()), DSL.val(subject.kind()), DSL.val(subject.model()))) {
      if (!sum.suffices()) {
        sum = sum.plus(findings(row));
      }
    }
    return sum;
  }

  private static Findings findings(Record row) {
    return new Findings(
        row.get("searches", Integer.class),
        row.get("expected", Long.class),
        row.get("found", Long.class),
        row.get("lowest_recall", Double.class));
  }

  /** The recall of each kind and model that was audited lately. */
  List<Recall> recalls(DSLContext dsl, UUID tenant, Collection<String> kinds) {
    return dsl.fetch(KINDS, DSL.val(tenant), DSL.val(kinds.toArray(String[]::new)))
        .map(row -> {
          Subject subject =
              new Subject(tenant, row.get("kind", String.class), row.get("model", String.class));
          Findings findings = newest(dsl, subject);
          return Recall.newBuilder()
              .setKind(subject.kind())
              .setModel(subject.model())
              .setSearches(findings.searches())
              .setRecall(findings.recall())
              .setLowestRecall(findings.lowest())
              .setLow(findings.suffices() && findings.low())
              .setAuditedAt(Times.proto(row.get("audited_at", Instant.class)))
              .build();
        });
  }

  /**
   * The audits that pass, the newest first.
   *
   * @param tenant null: all tenants', for the system
   */
  List<RecallAudit> list(
      DSLContext dsl,
      @Nullable UUID tenant,
      RecallAuditFilter filter,
      @Nullable TimePlace after,
      int limit) {
    return dsl.fetch(
            LIST,
            DSL.val(tenant, UUID.class),
            DSL.val(filter.getKind()),
            DSL.val(filter.getModel()),
            DSL.val(filter.hasFrom() ? Times.instant(filter.getFrom()) : null, Instant.class),
            DSL.val(filter.hasTo() ? Times.instant(filter.getTo()) : null, Instant.class),
            DSL.val(after == null ? null : after.time(), Instant.class),
            DSL.val(after == null ? null : after.id(), UUID.class),
            DSL.val(limit))
        .map(AuditStore::audit);
  }

  private static RecallAudit audit(Record row) {
    Findings findings = findings(row);
    return RecallAudit.newBuilder()
        .setId(row.get("id", UUID.class).toString())
        .setTenantId(row.get("tenant_id", UUID.class).toString())
        .setKind(row.get("kind", String.class))
        .setModel(row.get("model", String.class))
        .setSource(Source.valueOf(row.get("source", String.class)))
        .setNeighbours(row.get("neighbours", Integer.class))
        .setSearches(findings.searches())
        .setExpected(findings.expected())
        .setFound(findings.found())
        .setRecall(findings.recall())
        .setLowestRecall(findings.lowest())
        .setDuration(duration(row.get("duration_millis", Double.class)))
        .setAuditedAt(Times.proto(row.get("audited_at", Instant.class)))
        .build();
  }

  private static Duration duration(double millis) {
    long nanos = (long) (1e6 * millis);
    return Duration.newBuilder()
        .setSeconds(nanos / 1_000_000_000)
        .setNanos((int) (nanos % 1_000_000_000))
        .build();
  }
}
