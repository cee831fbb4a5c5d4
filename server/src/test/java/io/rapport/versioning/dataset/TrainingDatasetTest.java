package io.rapport.versioning.dataset;

import static io.rapport.versioning.dataset.GivenDataset.condition;
import static io.rapport.versioning.dataset.GivenDataset.dataset;
import static io.rapport.versioning.dataset.GivenDataset.source;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.google.protobuf.ListValue;
import com.google.protobuf.Value;
import com.google.rpc.Code;
import io.rapport.client.DatasetsClient;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import io.rapport.versioning.v1.CreateTrainingDatasetRequest;
import io.rapport.versioning.v1.DeleteTrainingDatasetRequest;
import io.rapport.versioning.v1.ListTrainingDatasetsRequest;
import io.rapport.versioning.v1.ListTrainingDatasetsResponse;
import io.rapport.versioning.v1.QualityWeights;
import io.rapport.versioning.v1.SourceCondition;
import io.rapport.versioning.v1.TrainingDataset;
import io.rapport.versioning.v1.TrainingDatasetServiceGrpc;
import io.rapport.versioning.v1.TrainingDatasetServiceGrpc.TrainingDatasetServiceBlockingStub;
import io.rapport.versioning.v1.UpdateTrainingDatasetRequest;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class TrainingDatasetTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @Test
  void everyTenantHasFourFromItsBeginning() {
    List<TrainingDataset> all = datasets().list().toList();

    assertThat(all)
        .extracting(TrainingDataset::getDatasetType, TrainingDataset::getThreshold)
        .containsExactly(
            tuple("goal", 50L),
            tuple("recommendation", 500L),
            tuple("segmentation", 100L),
            tuple("spending", 1000L));
    assertThat(all).allMatch(TrainingDataset::getBuiltIn);
    TrainingDataset segmentation = datasets().byType("segmentation").orElseThrow();
    assertThat(segmentation.getSourcesList())
        .containsExactly(
            source("recommendation_interaction")
                .addConditions(condition("interaction_type", "helpful", "not_helpful"))
                .build());
    assertThat(segmentation.getQualityBound()).isEqualTo(0.7);
    assertThat(segmentation.getSampleSize()).isEqualTo(1000);
    assertThat(segmentation.getWeights()).isEqualTo(weights(0.4, 0.3, 0.3));
    assertThat(segmentation.getDataCount()).isZero();
    assertThat(segmentation.hasLastTrainedAt()).isFalse();
    assertThat(segmentation.hasDataQualityScore()).isFalse();
  }

  private static QualityWeights weights(double completeness, double consistency, double validity) {
    return QualityWeights.newBuilder()
        .setCompleteness(completeness)
        .setConsistency(consistency)
        .setValidity(validity)
        .build();
  }

  @Test
  void listsWhatIsLargeOnMorePages() {
    SourceCondition large = condition("x", "y".repeat(400_000));
    for (int i = 0; i < 5; i++) {
      datasets()
          .create(
              dataset(1)
                  .setDatasetType("large" + i)
                  .clearSources()
                  .addSources(source("any").addConditions(large))
                  .build());
    }
    var stub = TrainingDatasetServiceGrpc.newBlockingStub(rapport.channel());

    ListTrainingDatasetsResponse first =
        stub.listTrainingDatasets(ListTrainingDatasetsRequest.getDefaultInstance());

    assertThat(first.getSerializedSize()).isBetween(800_000, 1_100_000);
    assertThat(datasets().list()).hasSize(9);
  }

  @Test
  void makesFindsChangesAndRemovesOne() {
    TrainingDataset wanted =
        dataset(7)
            .setId(Given.id())
            .setQualityBound(0)
            .setWeights(weights(0.5, 0.25, 0.25))
            .setSampleSize(0)
            .addFeatures("a.b")
            .addSources(source("another").addConditions(condition("x", 1.5, true, "t")))
            .build();

    TrainingDataset made = datasets().create(wanted);

    assertThat(made.toBuilder().clearCreatedAt().clearUpdatedAt().clearEtag().build())
        .isEqualTo(
            wanted.toBuilder()
                .clearSources()
                .addSources(wanted.getSources(1))
                .addSources(wanted.getSources(0))
                .setDataCount(0)
                .build());
    assertThat(datasets().get(made.getId())).contains(made);
    assertThat(datasets().byType("habit")).contains(made);

    TrainingDataset changed =
        datasets()
            .update(made.toBuilder().setThreshold(8).setDatasetType("other").build(), "threshold");
    assertThat(changed.getThreshold()).isEqualTo(8);
    assertThat(changed.getDatasetType()).isEqualTo("habit");
    assertThat(changed.getEtag()).isNotEqualTo(made.getEtag());
    TrainingDataset whole =
        datasets()
            .update(
                TrainingDataset.newBuilder()
                    .setId(made.getId())
                    .setEtag(changed.getEtag())
                    .setThreshold(9)
                    .build(),
                "*");
    assertThat(whole.getQualityBound()).isEqualTo(0.7);
    assertThat(whole.getSourcesList()).isEmpty();
    assertThat(whole.getFeaturesList()).isEmpty();

    datasets().delete(made.getId());
    assertThat(datasets().get(made.getId())).isEmpty();
  }

  @Test
  void changesNothingIfNothingIsOtherwise() {
    TrainingDataset made = datasets().create(dataset(7).build());

    assertThat(datasets().update(made)).isEqualTo(made);
  }

  @Test
  void listsByFlagsAndPages() {
    datasets().create(dataset(1).build());
    rapport.client().events().track(GivenDataset.event("{}"));
    ListTrainingDatasetsRequest reached =
        ListTrainingDatasetsRequest.newBuilder().setThresholdReached(true).build();

    assertThat(datasets().list(reached))
        .extracting(TrainingDataset::getDatasetType)
        .containsExactly("habit");
    assertThat(datasets().list(ListTrainingDatasetsRequest.newBuilder().setPageSize(2).build()))
        .extracting(TrainingDataset::getDatasetType)
        .containsExactly("goal", "habit", "recommendation", "segmentation", "spending");
  }

  @Test
  void refusesASecondOfAType() {
    datasets().create(dataset(7).build());

    Told told = Told.by(() -> stub().createTrainingDataset(create(dataset(8).build())));
    Told builtIn =
        Told.by(
            () -> stub().createTrainingDataset(create(dataset(8).setDatasetType("goal").build())));

    assertThat(told.code()).isEqualTo(Code.ALREADY_EXISTS);
    assertThat(told.reason()).isEqualTo("RESOURCE_EXISTS");
    assertThat(builtIn.reason()).isEqualTo("RESOURCE_EXISTS");
  }

  @Test
  void refusesTooMany() {
    for (int i = 4; i < 100; i++) {
      datasets().create(dataset(1).setDatasetType("d" + i).build());
    }

    Told told = Told.by(() -> stub().createTrainingDataset(create(dataset(8).build())));

    assertThat(told.code()).isEqualTo(Code.FAILED_PRECONDITION);
    assertThat(told.reason()).isEqualTo("DATASET_LIMIT");
    assertThat(told.metadata()).containsEntry("max", "100");
  }

  @Test
  void namesAllThatIsWrong() {
    SourceCondition list =
        SourceCondition.newBuilder()
            .setProperty("x")
            .addValues(Value.newBuilder().setStringValue("ok"))
            .addValues(Value.newBuilder().setListValue(ListValue.getDefaultInstance()))
            .build();

    Told told =
        Told.by(() ->
            stub()
                .createTrainingDataset(
                    create(
                        dataset(0)
                            .setWeights(weights(0.5, 0.5, 0.5))
                            .addSources(source("sample").addConditions(list))
                            .build())));

    assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.fields())
        .containsExactly(
            "training_dataset.threshold",
            "training_dataset.weights",
            "training_dataset.sources[1].event_type",
            "training_dataset.sources[1].conditions[0].values[1]");
    assertThat(datasets().byType("habit")).isEmpty();
  }

  @Test
  void refusesWhatBreaksTheContract() {
    assertRefused(dataset(1).setDatasetType("Upper").build(), "training_dataset.dataset_type");
    assertRefused(dataset(1).setQualityBound(1.1).build(), "training_dataset.quality_bound");
    assertRefused(dataset(-1).build(), "training_dataset.threshold");
    assertRefused(
        dataset(1).addSources(source("x").addConditions(condition("", 1))).build(),
        "training_dataset.sources[1].conditions[0].property");
    assertRefused(dataset(1).addFeatures("").build(), "training_dataset.features[0]");
  }

  private static void assertRefused(TrainingDataset dataset, String field) {
    Told told = Told.by(() -> stub().createTrainingDataset(create(dataset)));
    assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.fields()).contains(field);
  }

  @Test
  void refusesAStaleEtagOrNone() {
    TrainingDataset made = datasets().create(dataset(7).build());
    TrainingDataset now = datasets().update(made.toBuilder().setThreshold(8).build());

    Told stale = Told.by(() -> stub().updateTrainingDataset(update(made)));
    Told none =
        Told.by(() -> stub().updateTrainingDataset(update(made.toBuilder().clearEtag().build())));
    Told deleted =
        Told.by(() ->
            stub()
                .deleteTrainingDataset(
                    DeleteTrainingDatasetRequest.newBuilder()
                        .setId(made.getId())
                        .setEtag(made.getEtag())
                        .build()));

    assertThat(stale.code()).isEqualTo(Code.ABORTED);
    assertThat(stale.reason()).isEqualTo("ETAG_MISMATCH");
    assertThat(stale.metadata()).containsEntry("etag", now.getEtag());
    assertThat(none.fields()).containsExactly("training_dataset.etag");
    assertThat(deleted.reason()).isEqualTo("ETAG_MISMATCH");
    assertThat(datasets().get(made.getId())).contains(now);
  }

  private static UpdateTrainingDatasetRequest update(TrainingDataset dataset) {
    return UpdateTrainingDatasetRequest.newBuilder()
        .setTrainingDataset(dataset.toBuilder().setThreshold(9))
        .build();
  }

  @Test
  void keepsWhatEveryTenantHas() {
    String id = datasets().byType("goal").orElseThrow().getId();

    Told told =
        Told.by(() ->
            stub()
                .deleteTrainingDataset(
                    DeleteTrainingDatasetRequest.newBuilder().setId(id).build()));

    assertThat(told.code()).isEqualTo(Code.FAILED_PRECONDITION);
    assertThat(told.reason()).isEqualTo("DATASET_BUILT_IN");
  }

  @Test
  void onlyChecksIfAsked() {
    stub()
        .createTrainingDataset(
            create(dataset(7).build()).toBuilder().setValidateOnly(true).build());

    assertThat(datasets().byType("habit")).isEmpty();
  }

  private static CreateTrainingDatasetRequest create(TrainingDataset dataset) {
    return CreateTrainingDatasetRequest.newBuilder().setTrainingDataset(dataset).build();
  }

  private static DatasetsClient datasets() {
    return rapport.client().datasets();
  }

  private static TrainingDatasetServiceBlockingStub stub() {
    return TrainingDatasetServiceGrpc.newBlockingStub(rapport.channel());
  }
}
