package io.rapport.search.audit;

import io.rapport.platform.Change;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.TenantDb;
import io.rapport.search.v1.RecallAudit.Source;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.jooq.DSLContext;

/** Audits in one transaction: does searches again, keeps what came of it, and tells the alarm. */
final class Auditor {
  private static final int SEARCHES = 5;
  private static final int NEIGHBOURS = 10;

  /** Of so many rows, one search takes a second or more. */
  private static final int MANY_ROWS = 500_000;

  private final TenantDb db;
  private final ChangeLog changes;
  private final RecallAlarm alarm;
  private final int minRows;
  private final AuditWorkStore work;
  private final ComparisonStore comparisons = new ComparisonStore();
  private final AuditStore audits = new AuditStore();

  /** Searches that are done again. */
  private record Searches(Source source, int neighbours, Function<DSLContext, Findings> compare) {}

  /** What a transaction did, and whether it changed anything that others see. */
  private record Done(Optional<Findings> findings, boolean changed) {
    private static final Done NOTHING = new Done(Optional.empty(), false);
  }

  /**
   * @param minRows so many rows are compared one by one in any search
   */
  Auditor(TenantDb db, AuditWorkStore work, ChangeLog changes, RecallAlarm alarm, int minRows) {
    this.db = db;
    this.work = work;
    this.changes = changes;
    this.alarm = alarm;
    this.minRows = minRows;
  }

  /** Searches for the neighbours of rows taken at random; empty if there is no need to. */
  Optional<Findings> auditStored(Subject subject) {
    return audit(
        subject,
        new Searches(
            Source.STORED_ROWS,
            NEIGHBOURS,
            tx -> {
              int searches = comparisons.hasMoreThan(tx, subject, MANY_ROWS) ? 1 : SEARCHES;
              List<UUID> rows = comparisons.anyRows(tx, subject, searches);
              return comparisons.compareStored(tx, subject, NEIGHBOURS, rows);
            }));
  }

  /** Does searches again; empty if there is no need to. */
  Optional<Findings> auditSampled(Subject subject, int neighbours, List<String> vectors) {
    return audit(
        subject,
        new Searches(
            Source.SEARCHES,
            neighbours,
            tx -> {
              boolean many = comparisons.hasMoreThan(tx, subject, MANY_ROWS);
              return comparisons.compareGiven(
                  tx, subject, neighbours, many ? vectors.subList(0, 1) : vectors);
            }));
  }

  /** What isn't searched by the index any more is no reason for an alarm. */
  void settle(Subject subject) {
    boolean changed =
        db.write(
            subject.tenant(),
            tx -> {
              List<Change> told =
                  work.takeTurn(tx, subject)
                      ? alarm.clear(tx, subject.tenant(), subject.kind(), subject.model())
                      : List.of();
              return changes.append(tx, subject.tenant(), told) > 0;
            });
    if (changed) {
      changes.committed(subject.tenant());
    }
  }

  /** So many rows are compared one by one in any search. */
  int minRows() {
    return minRows;
  }

  private Optional<Findings> audit(Subject subject, Searches searches) {
    long start = System.nanoTime();
    Done done =
        db.write(
            subject.tenant(),
            tx -> {
              if (!work.takeTurn(tx, subject) || !comparisons.hasMoreThan(tx, subject, minRows)) {
                return Done.NOTHING;
              }
              Findings findings = searches.compare().apply(tx);
              if (findings.searches() == 0) {
                return Done.NOTHING;
              }
              Duration took = Duration.ofNanos(System.nanoTime() - start);
              audits.insert(tx, subject, searches.source(), searches.neighbours(), findings, took);
              List<Change> told = tell(tx, subject);
              return new Done(
                  Optional.of(findings), changes.append(tx, subject.tenant(), told) > 0);
            });
    if (done.changed()) {
      changes.committed(subject.tenant());
    }
    return done.findings();
  }

  private List<Change> tell(DSLContext tx, Subject subject) {
    Findings newest = audits.newest(tx, subject);
    if (!newest.suffices()) {
      return List.of();
    }
    return newest.low()
        ? alarm.raise(
            tx,
            subject.tenant(),
            new RecallAlarm.Low(
                subject.kind(),
                subject.model(),
                newest.recall(),
                newest.lowest(),
                newest.searches()))
        : alarm.clear(tx, subject.tenant(), subject.kind(), subject.model());
  }
}
