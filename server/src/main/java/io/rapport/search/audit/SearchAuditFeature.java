package io.rapport.search.audit;

import io.grpc.ServerServiceDefinition;
import io.micrometer.core.instrument.MeterRegistry;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import io.rapport.search.IndexSearches;
import java.time.Clock;
import java.time.Duration;

/** Builds what audits searches. */
public final class SearchAuditFeature implements AutoCloseable {
  private final SearchAuditService service;
  private final Samples samples;
  private final AuditWorker worker;
  private final boolean on;

  /**
   * How much is audited.
   *
   * @param oneIn how many searches one is taken of; 0: none is
   * @param period how often each kind is audited; zero: nothing ever is
   * @param minRows so many rows are compared one by one in any search, so that there is nothing to
   *     audit
   */
  public record Settings(int oneIn, Duration period, int minRows) {}

  /**
   * The database, as three see it.
   *
   * @param calls for what callers ask
   * @param background for the audits, which may take long
   * @param system as the system role sees it
   */
  public record Databases(TenantDb calls, TenantDb background, TenantDb system) {}

  public SearchAuditFeature(
      Databases databases,
      ChangeLog changes,
      RecallAlarm alarm,
      Settings settings,
      MeterRegistry metrics,
      Clock clock) {
    AuditWorkStore work = new AuditWorkStore(databases.system());
    this.service = new SearchAuditService(databases.calls(), work);
    this.on = !settings.period().isZero();
    this.samples = new Samples(on ? settings.oneIn() : 0);
    this.worker =
        new AuditWorker(
            new Auditor(databases.background(), work, changes, alarm, settings.minRows()),
            work,
            samples,
            new RecallGauges(metrics),
            settings.period(),
            clock);
  }

  /** Is to be told of searches by an index. */
  public IndexSearches searches() {
    return samples;
  }

  public ServerServiceDefinition service(Rpcs rpcs) {
    return service.bind(rpcs);
  }

  /** Begins to audit. */
  public void start() {
    if (on) {
      worker.start();
    }
  }

  @Override
  public void close() {
    worker.close();
  }
}
