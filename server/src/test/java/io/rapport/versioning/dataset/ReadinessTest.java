package io.rapport.versioning.dataset;

import static io.rapport.versioning.dataset.GivenDataset.await;
import static io.rapport.versioning.dataset.GivenDataset.dataset;
import static io.rapport.versioning.dataset.GivenDataset.event;
import static io.rapport.versioning.dataset.GivenDataset.events;
import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.client.DatasetsClient;
import io.rapport.client.RapportClient;
import io.rapport.db.Database;
import io.rapport.db.Role;
import io.rapport.platform.TenantDb;
import io.rapport.server.Rapport;
import io.rapport.versioning.v1.DataQualityMetrics;
import io.rapport.versioning.v1.TrainingDataset;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.postgresql.ds.PGSimpleDataSource;

class ReadinessTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final String GOOD = "{\"a\":1,\"b\":\"x\"}";
  private static final int WRITERS = 16;

  @Test
  void becomesReadyOnceHoweverManyReachTheThreshold() throws Exception {
    RapportClient client = rapport.client();
    TrainingDataset made = client.datasets().create(dataset(100).build());

    try (ExecutorService threads = Executors.newFixedThreadPool(WRITERS)) {
      List<Future<?>> done = new ArrayList<>();
      for (int i = 0; i < WRITERS * 20; i++) {
        done.add(threads.submit(() -> client.events().track(event(GOOD))));
      }
      for (Future<?> it : done) {
        it.get();
      }
    }
    assertThat(get(made).getDataCount()).isEqualTo(WRITERS * 20);
    assertThat(get(made).getThresholdReached()).isTrue();
    await(client, () -> get(made).getIsReadyForTraining());

    assertThat(get(made).getDataQualityScore()).isEqualTo(1);
    assertThat(logged("versioning.training_dataset", "CREATED")).isEqualTo(1);
    // Reached, and ready.
    assertThat(logged("versioning.training_dataset", "UPDATED")).isEqualTo(2);
    assertThat(logged("versioning.data_quality_metrics", "CREATED")).isEqualTo(1);
  }

  private static TrainingDataset get(TrainingDataset dataset) {
    return rapport.client().datasets().get(dataset.getId()).orElseThrow();
  }

  private static int logged(String kind, String op) {
    return rapport
        .sql()
        .fetchSingle(
            "select count(*) from platform.change_log where tenant_id = ? and kind = ? and op = ?",
            rapport.tenant(),
            kind,
            op)
        .get(0, Integer.class);
  }

  @Test
  void isAssessedAgainAfterEachFurtherTenth() {
    RapportClient client = rapport.client();
    TrainingDataset made = client.datasets().create(dataset(20).build());
    client.events().batch(events("{\"a\":null}", 20));
    await(client, () -> get(made).hasDataQualityScore());
    assertThat(get(made).getIsReadyForTraining()).isFalse();

    client.events().track(event(GOOD));
    assertThat(isDue(made)).isFalse();
    client.events().batch(events(GOOD, 60));
    await(client, () -> client.datasets().history(made.getId()).count() == 2);

    assertThat(get(made).getIsReadyForTraining()).isTrue();
  }

  @Test
  void isAssessedWhereItWasGoingToBeWhoeverAssessesItBefore() {
    RapportClient client = rapport.client();
    TrainingDataset made = client.datasets().create(dataset(20).build());
    client.events().batch(events("{\"a\":null}", 20));
    await(client, () -> get(made).hasDataQualityScore());
    assertThat(nextAssessment()).isEqualTo(22);

    client.events().track(event("{\"a\":null}"));
    client.datasets().assess(made.getId());
    assertThat(nextAssessment()).isEqualTo(22);

    client.events().track(event("{\"a\":null}"));
    await(client, () -> client.datasets().history(made.getId()).count() == 3);
    assertThat(nextAssessment()).isEqualTo(24);
  }

  private static long nextAssessment() {
    return rapport
        .client()
        .learning()
        .status("habit")
        .getTypes(0)
        .getTrigger()
        .getNextAssessmentCount();
  }

  @Test
  void isAssessedBeforeThatIsKept() {
    RapportClient client = rapport.client();
    TrainingDataset made = client.datasets().create(dataset(20).build());

    DataQualityMetrics assessed = client.datasets().assess(made.getId());

    assertThat(assessed.getCreatedAt()).isEqualTo(assessed.getAssessedAt());
  }

  private static boolean isDue(TrainingDataset dataset) {
    return rapport
        .sql()
        .fetchSingle(
            "select due from versioning.dataset_counts where dataset_id = ?::uuid", dataset.getId())
        .get(0, Boolean.class);
  }

  @Test
  void followsItsThresholdAndItsBound() {
    RapportClient client = rapport.client();
    DatasetsClient datasets = client.datasets();
    TrainingDataset made = datasets.create(dataset(100).setQualityBound(1).build());
    client.events().batch(events("{\"a\":1,\"b\":null}", 10));

    TrainingDataset lower = datasets.update(made.toBuilder().setThreshold(10).build(), "threshold");
    assertThat(lower.getThresholdReached()).isTrue();
    await(client, () -> get(made).hasDataQualityScore());
    assertThat(get(made).getIsReadyForTraining()).isFalse();

    datasets.update(get(made).toBuilder().setQualityBound(0.5).build(), "quality_bound");
    await(client, () -> get(made).getIsReadyForTraining());

    TrainingDataset higher =
        datasets.update(get(made).toBuilder().setThreshold(11).build(), "threshold");
    assertThat(higher.getThresholdReached()).isFalse();
    assertThat(higher.getIsReadyForTraining()).isFalse();
  }

  @Test
  void isReadyOnlyAsLongAsItIsGoodEnough() {
    RapportClient client = rapport.client();
    TrainingDataset made = client.datasets().create(dataset(10).setSampleSize(10).build());
    client.events().batch(events(GOOD, 10));
    await(client, () -> get(made).getIsReadyForTraining());

    client.events().batch(events("{\"a\":null}", 10));
    client.datasets().assess(made.getId());
    assertThat(get(made).getThresholdReached()).isTrue();
    assertThat(get(made).getIsReadyForTraining()).isFalse();

    client.events().batch(events("{\"a\":1,\"b\":null}", 10));
    client.datasets().update(get(made).toBuilder().setQualityBound(0.6).build(), "quality_bound");
    await(client, () -> get(made).getIsReadyForTraining());
    client.datasets().update(get(made).toBuilder().setQualityBound(0.7).build(), "quality_bound");
    await(client, () -> !get(made).getIsReadyForTraining());
  }

  @Test
  void asksForOneTrainingHoweverManyAssess() throws Exception {
    RapportClient client = rapport.client();
    TrainingDataset made = client.datasets().create(dataset(1).setQualityBound(1).build());
    client.events().track(event("{\"a\":null}"));
    await(client, () -> get(made).hasDataQualityScore());
    List<TrainingRequests.Ready> requests = new CopyOnWriteArrayList<>();
    Assessments assessments =
        new Assessments(
            new DatasetStore(),
            new CountStore(),
            new QualityStore(),
            (tx, ready, changes) -> requests.add(ready));
    UUID id = UUID.fromString(made.getId());
    Assessments.Look perfect =
        new Assessments.Look(
            db().read(
                    rapport.tenant(), dsl -> new DatasetStore().require(dsl, rapport.tenant(), id)),
            DataQualityMetrics.newBuilder()
                .setTrainingDatasetId(made.getId())
                .setOverallScore(1)
                .build());

    try (ExecutorService threads = Executors.newFixedThreadPool(WRITERS)) {
      List<Future<?>> done = new ArrayList<>();
      for (int i = 0; i < WRITERS; i++) {
        done.add(
            threads.submit(() ->
                db().write(
                        rapport.tenant(),
                        tx -> assessments.keep(tx, rapport.tenant(), perfect, change -> {}))));
      }
      for (Future<?> it : done) {
        it.get();
      }
    }

    assertThat(requests)
        .containsExactly(new TrainingRequests.Ready(rapport.tenant(), id, "habit", 1, 1));
  }

  @Test
  void beginsAnewAfterATraining() {
    RapportClient client = rapport.client();
    TrainingDataset made = client.datasets().create(dataset(5).build());
    client.events().batch(events(GOOD, 6));
    await(client, () -> get(made).getIsReadyForTraining());
    UUID manifest = UUID.fromString(client.datasets().freeze(made.getId()).getId());
    client.events().batch(events(GOOD, 3));

    Instant at = Instant.parse("2026-01-31T12:00:00Z");
    trained(made, manifest, at);
    assertThat(get(made).getDataCount()).isEqualTo(3);
    assertThat(get(made).getThresholdReached()).isFalse();
    assertThat(get(made).getIsReadyForTraining()).isFalse();
    assertThat(get(made).getLastTrainedAt().getSeconds()).isEqualTo(at.getEpochSecond());

    recount(made);
    assertThat(get(made).getDataCount()).isEqualTo(3);
    client.events().batch(events(GOOD, 2));
    await(client, () -> get(made).getIsReadyForTraining());

    trained(made, null, at.plusSeconds(1_000_000_000));
    assertThat(get(made).getDataCount()).isZero();
  }

  private static void trained(TrainingDataset dataset, @Nullable UUID manifest, Instant at) {
    TenantDb db = db();
    DatasetFeature feature =
        new DatasetFeature(
            new DatasetFeature.Databases(db, db, rapport.sql()), (tx, ready, changes) -> {});
    db.write(
        rapport.tenant(),
        tx -> {
          feature.trained(
              tx, rapport.tenant(), UUID.fromString(dataset.getId()), manifest, at, change -> {});
          return at;
        });
  }

  /** By other sources and back. */
  private static void recount(TrainingDataset dataset) {
    DatasetsClient datasets = rapport.client().datasets();
    datasets.update(get(dataset).toBuilder().clearSources().build(), "sources");
    assertThat(get(dataset).getDataCount()).isZero();
    datasets.update(
        get(dataset).toBuilder().addAllSources(dataset.getSourcesList()).build(), "sources");
  }

  private static TenantDb db() {
    Database database = rapport.database().as(Role.SERVER);
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setUrl(database.jdbcUrl());
    source.setUser(database.user());
    source.setPassword(database.password());
    return new TenantDb(source, Duration.ofSeconds(30));
  }
}
