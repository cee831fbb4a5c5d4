package io.rapport.versioning.dataset;

import com.google.protobuf.Value;
import io.rapport.client.RapportClient;
import io.rapport.client.Watch;
import io.rapport.client.WatchOptions;
import io.rapport.platform.v1.Change;
import io.rapport.platform.v1.ChangeFilter;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.tracking.v1.Event;
import io.rapport.versioning.v1.ClaimTrainingRequest;
import io.rapport.versioning.v1.ClaimTrainingResponse;
import io.rapport.versioning.v1.CompleteTrainingRequest;
import io.rapport.versioning.v1.DatasetSource;
import io.rapport.versioning.v1.SourceCondition;
import io.rapport.versioning.v1.TrainingDataset;
import io.rapport.versioning.v1.TrainingServiceGrpc;
import io.rapport.versioning.v1.TrainingServiceGrpc.TrainingServiceBlockingStub;
import io.rapport.versioning.v1.TriggerTrainingRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/** Datasets and their events. */
final class GivenDataset {
  static final String TYPE = "sample";

  private static final Duration AT_MOST = Duration.ofSeconds(30);

  private GivenDataset() {}

  /** One that all events of a type feed. */
  static TrainingDataset.Builder dataset(long threshold) {
    return TrainingDataset.newBuilder()
        .setDatasetType("habit")
        .setThreshold(threshold)
        .addSources(source(TYPE));
  }

  static DatasetSource.Builder source(String eventType) {
    return DatasetSource.newBuilder().setEventType(eventType);
  }

  static SourceCondition condition(String property, Object... values) {
    SourceCondition.Builder condition = SourceCondition.newBuilder().setProperty(property);
    for (Object value : values) {
      Value.Builder json = Value.newBuilder();
      switch (value) {
        case Boolean it -> json.setBoolValue(it);
        case Number it -> json.setNumberValue(it.doubleValue());
        default -> json.setStringValue(value.toString());
      }
      condition.addValues(json);
    }
    return condition.build();
  }

  static Event event(String json) {
    return Given.eventWith(json).setEventType(TYPE).build();
  }

  static List<Event> events(String json, int count) {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      events.add(event(json));
    }
    return events;
  }

  static long count(RapportClient client, String datasetType) {
    return client.datasets().byType(datasetType).orElseThrow().getDataCount();
  }

  /**
   * Has a training done.
   *
   * @param manifest what it has; empty: it doesn't say
   */
  static void train(Rapport rapport, String modelType, String manifest) {
    TrainingServiceBlockingStub stub = TrainingServiceGrpc.newBlockingStub(rapport.channel());
    stub.triggerTraining(
        TriggerTrainingRequest.newBuilder()
            .setModelType(modelType)
            .setManifestId(manifest)
            .build());
    ClaimTrainingResponse claimed =
        stub.claimTraining(
            ClaimTrainingRequest.newBuilder().addModelTypes(modelType).setWorker("test").build());
    stub.completeTraining(
        CompleteTrainingRequest.newBuilder()
            .setTrainingEventId(claimed.getTrainingEvent().getId())
            .setLeaseId(claimed.getLeaseId())
            .setModelPath("model")
            .build());
  }

  /** Waits for something that follows from a change of a dataset. */
  static void await(RapportClient client, BooleanSupplier condition) {
    ChangeFilter filter = ChangeFilter.newBuilder().addKinds("versioning.training_dataset").build();
    long end = System.nanoTime() + AT_MOST.toNanos();
    try (Watch<Change> watch = client.changes().watch(filter, WatchOptions.fromNow())) {
      while (!condition.getAsBoolean()) {
        if (System.nanoTime() > end) {
          throw new AssertionError("it did not happen");
        }
        watch.poll(Duration.ofMillis(500));
      }
    }
  }
}
