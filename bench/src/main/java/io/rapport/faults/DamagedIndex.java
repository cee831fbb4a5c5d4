package io.rapport.faults;

import io.grpc.ManagedChannel;
import io.rapport.bench.Report;
import io.rapport.monitoring.v1.AnomalyAlert;
import io.rapport.monitoring.v1.AnomalyAlertFilter;
import io.rapport.monitoring.v1.AnomalyAlertServiceGrpc;
import io.rapport.monitoring.v1.ListAnomalyAlertsRequest;
import io.rapport.monitoring.v1.ListAnomalyAlertsResponse;
import io.rapport.search.v1.GetRecallRequest;
import io.rapport.search.v1.GetRecallResponse;
import io.rapport.search.v1.Recall;
import io.rapport.search.v1.SearchAuditServiceGrpc;
import io.rapport.vectors.SentenceVectors;
import io.rapport.vectors.StoredVectors;
import java.sql.Connection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BooleanSupplier;

/**
 * P35: the service notices by itself that searches by an index find too little. Half of the rows
 * are written anew while the index is told to take nothing, so that it misses them; nobody
 * searches. An alert is raised within five minutes, and resolved when the index was built anew.
 * Control: a server that doesn't audit.
 */
final class DamagedIndex implements Promise {
  private static final String ID = "P35";
  private static final int ROWS = 20_000;
  private static final int QUICK_ROWS = 8_000;
  private static final int QUICK_PERIOD_SECONDS = 5;
  private static final int PERIOD_SECONDS = 60;
  private static final long PATIENCE_SECONDS = 300;
  private static final String ALERT_TYPE = "search_recall";

  /** Rows that the index doesn't know are there, and those that it knows aren't. */
  private static final String DAMAGE =
      """
      UPDATE pg_index SET indisready = false WHERE indexrelid = 'search.INDEX'::regclass;
      CREATE TEMPORARY TABLE moved AS
        SELECT * FROM search.embeddings WHERE kind = 'KIND' AND hashtext(id::text) % 2 = 0;
      DELETE FROM search.embeddings e USING moved m
       WHERE e.tenant_id = m.tenant_id AND e.kind = 'KIND' AND e.id = m.id AND e.model = m.model;
      INSERT INTO search.embeddings SELECT * FROM moved;
      DROP TABLE moved;
      UPDATE pg_index SET indisready = true WHERE indexrelid = 'search.INDEX'::regclass;
      """
          .replace("INDEX", StoredVectors.INDEX)
          .replace("KIND", StoredVectors.KIND);

  /** Who asks the service, as the tenant whose vectors they are. */
  private record Watcher(Calls calls) {
    private Optional<Recall> recall() {
      GetRecallResponse answer =
          calls
              .call(
                  SearchAuditServiceGrpc.getGetRecallMethod(),
                  GetRecallRequest.newBuilder().addKinds(StoredVectors.KIND).build())
              .answer();
      return answer == null ? Optional.empty() : answer.getRecallsList().stream().findFirst();
    }

    private boolean sees(AnomalyAlert.State state) {
      ListAnomalyAlertsResponse answer =
          calls
              .call(
                  AnomalyAlertServiceGrpc.getListAnomalyAlertsMethod(),
                  ListAnomalyAlertsRequest.newBuilder()
                      .setFilter(AnomalyAlertFilter.newBuilder().addStates(state))
                      .build())
              .answer();
      return answer != null
          && answer.getAlertsList().stream().anyMatch(it -> it.getAlertType().equals(ALERT_TYPE));
    }
  }

  @Override
  public List<Verdict> test(Run run) throws Exception {
    int period = run.pick(QUICK_PERIOD_SECONDS, PERIOD_SECONDS);
    Report.say("  audited every %d s%s", period, run.quick() ? ", not every 60 s" : "");
    return List.of(audited(run, period), unaudited(run, period));
  }

  private static Verdict audited(Run run, int period) throws Exception {
    try (Victim victim = damageable(run, period)) {
      UUID tenant = tenant(victim);
      ManagedChannel channel = Victim.channel(victim.port());
      Watcher watcher = new Watcher(new Calls(channel, victim.token(tenant), 20_000));
      double before = recallWhen(watcher, () -> watcher.recall().isPresent());
      victim.execute(DAMAGE);
      double caught = seconds(() -> watcher.sees(AnomalyAlert.State.OPEN));
      double damaged = watcher.recall().map(Recall::getRecall).orElse(1.0);
      victim.execute("REINDEX INDEX CONCURRENTLY search." + StoredVectors.INDEX);
      double cleared = seconds(() -> watcher.sees(AnomalyAlert.State.RESOLVED));
      double after = watcher.recall().map(Recall::getRecall).orElse(0.0);
      channel.shutdownNow();
      return Verdict.of(ID)
          .with("period_s", period)
          .with("audit_recall", rounded(before))
          .with("damaged_recall", rounded(damaged))
          .with("caught_after_s", rounded(caught))
          .with("resolved_after_s", rounded(cleared))
          .with("recall_after_reindex", rounded(after))
          .met(
              before >= 0.9
                  && damaged < 0.9
                  && caught <= PATIENCE_SECONDS
                  && cleared <= PATIENCE_SECONDS
                  && after >= 0.9);
    }
  }

  private static Verdict unaudited(Run run, int period) throws Exception {
    try (Victim victim = damageable(run, 0)) {
      UUID tenant = tenant(victim);
      ManagedChannel channel = Victim.channel(victim.port());
      Watcher watcher = new Watcher(new Calls(channel, victim.token(tenant), 20_000));
      victim.execute(DAMAGE);
      Threads.sleep(1_000L * period * 3);
      boolean caught = watcher.sees(AnomalyAlert.State.OPEN);
      channel.shutdownNow();
      return Verdict.of(ID)
          .with("audited", "no")
          .with("waited_s", 3 * period)
          .with("caught", caught ? "yes" : "no")
          .failed(!caught);
    }
  }

  /** A service with vectors of one tenant, more than are compared one by one. */
  private static Victim damageable(Run run, int period) throws Exception {
    Victim victim = Victim.open();
    victim.set("RAPPORT_RECALL_AUDIT_SECONDS", String.valueOf(period));
    UUID tenant = victim.newTenant();
    SentenceVectors vectors = SentenceVectors.load(run.pick(QUICK_ROWS, ROWS));
    try (Connection admin = victim.connect()) {
      new StoredVectors(admin, vectors).put(row -> tenant);
    }
    victim.start();
    return victim;
  }

  private static UUID tenant(Victim victim) throws Exception {
    try (Connection admin = victim.connect();
        var statement = admin.createStatement();
        var rows = statement.executeQuery("SELECT tenant_id FROM search.embedding_models")) {
      rows.next();
      return rows.getObject(1, UUID.class);
    }
  }

  private static double recallWhen(Watcher watcher, BooleanSupplier there) {
    double _ = seconds(there);
    return watcher.recall().map(Recall::getRecall).orElse(0.0);
  }

  private static double seconds(BooleanSupplier there) {
    long start = System.nanoTime();
    while (!there.getAsBoolean()) {
      if (System.nanoTime() - start > PATIENCE_SECONDS * 1_000_000_000L) {
        return Double.MAX_VALUE;
      }
      Threads.sleep(200);
    }
    return (System.nanoTime() - start) / 1e9;
  }

  private static double rounded(double value) {
    return Math.round(1000 * value) / 1000.0;
  }
}
