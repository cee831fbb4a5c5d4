package io.rapport.versioning.dataset;

import static io.rapport.versioning.dataset.GivenDataset.await;
import static io.rapport.versioning.dataset.GivenDataset.condition;
import static io.rapport.versioning.dataset.GivenDataset.dataset;
import static io.rapport.versioning.dataset.GivenDataset.event;
import static io.rapport.versioning.dataset.GivenDataset.events;
import static io.rapport.versioning.dataset.GivenDataset.source;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.Code;
import io.rapport.client.DatasetsClient;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import io.rapport.tracking.v1.Event;
import io.rapport.versioning.v1.AssessDatasetRequest;
import io.rapport.versioning.v1.DatasetManifest;
import io.rapport.versioning.v1.FreezeDatasetRequest;
import io.rapport.versioning.v1.TrainingDataset;
import io.rapport.versioning.v1.TrainingDatasetServiceGrpc;
import io.rapport.versioning.v1.TrainingDatasetServiceGrpc.TrainingDatasetServiceBlockingStub;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What comes between two steps of long work on a dataset. */
@Timeout(60)
class DatasetRacesTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final String GOOD = "{\"a\":1,\"b\":\"x\"}";
  private static final String BAD = "{\"a\":null,\"b\":null,\"c\":\"\"}";
  private static final String TURN = "pg_advisory_xact_lock";

  private ExecutorService threads;
  private DatasetsClient datasets;

  @BeforeEach
  void begin() {
    threads = Executors.newVirtualThreadPerTaskExecutor();
    datasets = rapport.client().datasets();
  }

  @AfterEach
  void end() {
    threads.shutdownNow();
  }

  @Test
  void dropsACountByFormerSources() throws Exception {
    TrainingDataset made = datasets.create(dataset(1_000_000).build());
    track(events(GOOD, 50));
    track(others(GOOD, 7));
    Future<TrainingDataset> update;
    try (Held turn = Held.turn(rapport)) {
      update = threads.submit(() -> datasets.update(fedByOthers(made), "sources"));
      turn.awaitWaiting(1, TURN);
      mark(made, "recount");
      turn.awaitWaiting(2, TURN);
    }
    update.get();
    awaitTurn();

    await(rapport.client(), () -> !get(made).getCounting());
    assertThat(get(made).getDataCount()).isEqualTo(7);
  }

  private static void track(List<Event> events) {
    rapport.client().events().batch(events);
  }

  private static List<Event> others(String json, int count) {
    return events(json, count).stream()
        .map(event -> event.toBuilder().setEventType("other").build())
        .toList();
  }

  private static TrainingDataset fedByOthers(TrainingDataset made) {
    return get(made).toBuilder().clearSources().addSources(source("other")).build();
  }

  private static TrainingDataset get(TrainingDataset dataset) {
    return rapport.client().datasets().get(dataset.getId()).orElseThrow();
  }

  /** Gives the worker something to do, and wakes it. */
  private static void mark(TrainingDataset dataset, String flag) {
    rapport
        .sql()
        .execute(
            "update versioning.dataset_counts set "
                + flag
                + " = true"
                + " where tenant_id = ? and dataset_id = ?",
            rapport.tenant(),
            UUID.fromString(dataset.getId()));
    rapport.client().events().track(Given.event().build());
  }

  /** Waits until those who had or wanted the turn have ended. */
  private static void awaitTurn() throws Exception {
    Held.turn(rapport).close();
  }

  @Test
  void dropsACountFromBeforeATraining() throws Exception {
    TrainingDataset made = datasets.create(dataset(1_000_000).build());
    track(events(GOOD, 50));
    DatasetManifest manifest = datasets.freeze(made.getId());
    track(events(GOOD, 3));
    try (Held turn = Held.turn(rapport)) {
      mark(made, "recount");
      turn.awaitWaiting(1, TURN);
      GivenDataset.train(rapport, "habit", manifest.getId());
    }
    awaitTurn();

    await(rapport.client(), () -> !get(made).getCounting());
    assertThat(get(made).getDataCount()).isEqualTo(3);
  }

  @Test
  void countsWhatIsCommittedBetweenTheCountAndTheHead() throws Exception {
    TrainingDataset made = datasets.create(dataset(1_000_000).build());
    track(events("{\"kind\":\"b\"}", 4));
    Future<?> tracked;
    Future<TrainingDataset> update;
    try (Held head = Held.head(rapport)) {
      tracked =
          threads.submit(() ->
              track(
                  List.of(
                      event("{\"kind\":\"b\"}"),
                      event("{\"kind\":\"a\"}"),
                      event("{\"kind\":\"b\"}"))));
      head.awaitWaiting(1, "");
      TrainingDataset fewer =
          get(made).toBuilder()
              .clearSources()
              .addSources(source(GivenDataset.TYPE).addConditions(condition("kind", "b")))
              .build();
      update = threads.submit(() -> datasets.update(fewer, "sources"));
      head.awaitWaiting(2, "");
    }
    tracked.get();

    assertThat(update.get().getDataCount()).isEqualTo(6);
    assertThat(get(made).getDataCount()).isEqualTo(6);
  }

  @Test
  void refusesToJudgeByFormerSources() throws Exception {
    TrainingDataset made = datasets.create(dataset(1000).build());
    track(events(GOOD, 50));
    track(others(BAD, 50));
    AssessDatasetRequest request =
        AssessDatasetRequest.newBuilder().setTrainingDatasetId(made.getId()).build();
    Future<TrainingDataset> update;
    Future<Told> told;
    try (Held turn = Held.turn(rapport)) {
      TrainingDataset reached = fedByOthers(made).toBuilder().setThreshold(50).build();
      update = threads.submit(() -> datasets.update(reached, "sources", "threshold"));
      turn.awaitWaiting(1, TURN);
      told = threads.submit(() -> Told.by(() -> stub().assessDataset(request)));
      turn.awaitWaiting(2, TURN);
    }
    update.get();

    assertThat(told.get().code()).isEqualTo(Code.ABORTED);
    assertThat(told.get().reason()).isEqualTo("TX_CONFLICT");
    await(rapport.client(), () -> get(made).hasDataQualityScore());
    assertThat(get(made).getDataQualityScore()).isLessThan(0.5);
    assertThat(get(made).getIsReadyForTraining()).isFalse();
  }

  @Test
  void assessesAgainWhatWasChangedMeanwhile() throws Exception {
    TrainingDataset made = datasets.create(dataset(1000).build());
    track(events(GOOD, 50));
    track(others(BAD, 50));
    Future<TrainingDataset> update;
    try (Held turn = Held.turn(rapport)) {
      TrainingDataset reached = fedByOthers(made).toBuilder().setThreshold(50).build();
      update = threads.submit(() -> datasets.update(reached, "sources", "threshold"));
      turn.awaitWaiting(1, TURN);
      mark(made, "due");
      turn.awaitWaiting(2, TURN);
    }
    update.get();
    awaitTurn();

    await(rapport.client(), () -> get(made).hasDataQualityScore());
    assertThat(get(made).getDataQualityScore()).isLessThan(0.5);
    assertThat(get(made).getIsReadyForTraining()).isFalse();
    assertThat(datasets.history(made.getId())).hasSize(1);
  }

  @Test
  void refusesToFreezeRowsOfFormerSources() throws Exception {
    TrainingDataset made = datasets.create(dataset(1000).build());
    track(events(GOOD, 5));
    track(others(BAD, 2));
    FreezeDatasetRequest request =
        FreezeDatasetRequest.newBuilder().setTrainingDatasetId(made.getId()).build();
    Future<Told> told;
    try (Held held = new Held(rapport)) {
      held.sql().execute("lock table versioning.dataset_manifest_ranges in exclusive mode");
      told = threads.submit(() -> Told.by(() -> stub().freezeDataset(request)));
      held.awaitWaiting(1, "dataset_manifest_ranges");
      datasets.update(fedByOthers(made), "sources");
    }

    assertThat(told.get().code()).isEqualTo(Code.ABORTED);
    assertThat(told.get().reason()).isEqualTo("TX_CONFLICT");
    assertThat(datasets.manifests(made.getId())).isEmpty();
    assertThat(datasets.freeze(made.getId()).getRowCount()).isEqualTo(2);
  }

  /** The position is looked at before the commit, and its log after it. */
  @Test
  void freezesAnOlderPositionWhileOlderWritesAreCommitted() throws Exception {
    TrainingDataset made = datasets.create(dataset(1000).build());
    Future<DatasetManifest> frozen;
    try (Held older = new Held(rapport)) {
      track(events(GOOD, 1));
      String position = datasets.freeze(made.getId()).getPosition();
      track(events(GOOD, 1));
      older.sql().execute("lock table platform.change_log in access exclusive mode");
      FreezeDatasetRequest request =
          FreezeDatasetRequest.newBuilder()
              .setTrainingDatasetId(made.getId())
              .setPosition(position)
              .build();
      frozen = threads.submit(() -> stub().freezeDataset(request));
      older.awaitWaiting(1, "changed_at) AS at");
      older
          .sql()
          .execute(
              """
              with recorded as (
                insert into tracking.behavioral_events (tenant_id, id, user_id, event_type,
                  event_data, occurred_at, recorded_at, batch)
                values ({0}, gen_random_uuid(), gen_random_uuid(), 'sample', '{}', now(), now(),
                  pg_current_xact_id()::text::bigint)
                returning batch
              ), counted as (
                update versioning.dataset_counts set data_count = data_count + 1
                 where tenant_id = {0}
              ), head as (
                update platform.tenant_heads set position = position + 1
                 where tenant_id = {0} returning position
              )
              insert into platform.change_log (tenant_id, position, ordinal, kind, op, batch)
              select {0}, position, 1, 'event', 'RECORDED', batch from recorded, head
              """,
              DSL.val(rapport.tenant()));
    }

    assertThat(frozen.get().getRowCount()).isEqualTo(1);
    assertThat(frozen.get().getDataCount()).isEqualTo(1);
    assertThat(datasets.freeze(made.getId()).getRowCount()).isEqualTo(3);
  }

  private static TrainingDatasetServiceBlockingStub stub() {
    return TrainingDatasetServiceGrpc.newBlockingStub(rapport.channel());
  }
}
