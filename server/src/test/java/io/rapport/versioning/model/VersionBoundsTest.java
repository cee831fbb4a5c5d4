package io.rapport.versioning.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.protobuf.Message;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.rpc.Code;
import io.rapport.client.ModelsClient;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import io.rapport.versioning.v1.ClaimTrainingResponse;
import io.rapport.versioning.v1.CompareModelVersionsRequest;
import io.rapport.versioning.v1.CompareModelVersionsResponse;
import io.rapport.versioning.v1.GetLearningStatusRequest;
import io.rapport.versioning.v1.GetLearningStatusResponse;
import io.rapport.versioning.v1.GetPerformanceSeriesRequest;
import io.rapport.versioning.v1.GetPerformanceSeriesResponse.Point;
import io.rapport.versioning.v1.LearningServiceGrpc;
import io.rapport.versioning.v1.LearningStatus;
import io.rapport.versioning.v1.ListModelVersionsRequest;
import io.rapport.versioning.v1.ListModelVersionsResponse;
import io.rapport.versioning.v1.ModelPerformance;
import io.rapport.versioning.v1.ModelPerformanceServiceGrpc;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.ModelVersionServiceGrpc;
import io.rapport.versioning.v1.ModelVersionServiceGrpc.ModelVersionServiceBlockingStub;
import io.rapport.versioning.v1.PromoteModelVersionRequest;
import io.rapport.versioning.v1.RecordModelPerformanceRequest;
import io.rapport.versioning.v1.RegisterModelVersionRequest;
import io.rapport.versioning.v1.TrainingServiceGrpc;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is too long, too large or too much. */
@Timeout(60)
class VersionBoundsTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final int MIB = 1024 * 1024;
  private static final String LONGEST = "1.0." + "9".repeat(60);

  private ModelVersionServiceBlockingStub stub;
  private ModelsClient models;

  @BeforeEach
  void connect() {
    stub = ModelVersionServiceGrpc.newBlockingStub(rapport.channel());
    models = rapport.client().learning().models();
  }

  private static RegisterModelVersionRequest.Builder registering(String version) {
    return GivenVersion.registering(version);
  }

  @Test
  void refusesANextVersionThatIsTooLong() {
    models.register(registering(LONGEST).build());
    ClaimTrainingResponse claimed = GivenVersion.claimed(rapport);
    var trainings = TrainingServiceGrpc.newBlockingStub(rapport.channel());

    Told registered = Told.by(() -> stub.registerModelVersion(registering("").build()));
    Told completed =
        Told.by(() -> trainings.completeTraining(GivenVersion.completing(claimed).build()));

    assertThat(registered.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(registered.fields()).containsExactly("version");
    assertThat(completed.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(completed.fields()).containsExactly("version");
    assertThat(
            trainings
                .completeTraining(GivenVersion.completing(claimed).setVersion("1.1.0").build())
                .getModelVersion()
                .getVersion())
        .isEqualTo("1.1.0");
  }

  @Test
  void averagesWhateverWasRecorded() {
    assertThat(point("count", 1, Long.MAX_VALUE, 3, Long.MAX_VALUE).getMean()).isEqualTo(2);
    assertThat(point("count", 1, Long.MAX_VALUE).getSampleCount()).isEqualTo(Long.MAX_VALUE);
    Point huge = point("huge", 1.7e308, 5, 1.7e308, 5, -1.7e308, 10);
    assertThat(huge.getMean()).isZero();
    assertThat(huge.getSampleCount()).isEqualTo(20);
    assertThat(point("none", 1.7e308, 0, 1.7e308, 0).getMean()).isEqualTo(1.7e308);
    assertThat(point("small", 4.9e-324, 1, 4.9e-324, 1).getMean()).isEqualTo(4.9e-324);
    assertThat(point("usual", 0.8, 30, 0.9, 10).getMean()).isCloseTo(0.825, within(1e-15));
  }

  /** A metric's only window, given values and how many samples each rests on. */
  private static Point point(String metric, double... valuesAndSamples) {
    RecordModelPerformanceRequest.Builder request = RecordModelPerformanceRequest.newBuilder();
    for (int i = 0; i < valuesAndSamples.length; i += 2) {
      request.addRecords(
          ModelPerformance.newBuilder()
              .setModelName("goal")
              .setMetricName(metric)
              .setAccuracyMetric(valuesAndSamples[i])
              .setSampleCount((long) valuesAndSamples[i + 1]));
    }
    var stub = ModelPerformanceServiceGrpc.newBlockingStub(rapport.channel());
    var _ = stub.recordModelPerformance(request.build());
    return stub.getPerformanceSeries(
            GetPerformanceSeriesRequest.newBuilder()
                .setModelName("goal")
                .setMetricName(metric)
                .setWindow(GetPerformanceSeriesRequest.Window.WEEK)
                .build())
        .getSeries(0)
        .getPoints(0);
  }

  @Test
  void refusesASeriesThatIsTooLarge() {
    List<ModelPerformance> records = new ArrayList<>();
    for (int i = 0; i < 4000; i++) {
      records.add(
          ModelPerformance.newBuilder()
              .setModelName("goal")
              .setVersion("\uD83D\uDE00".repeat(64))
              .setSegment(i + "\uD83D\uDE00".repeat(96))
              .setAccuracyMetric(1)
              .build());
    }
    var stub = ModelPerformanceServiceGrpc.newBlockingStub(rapport.channel());
    for (int i = 0; i < records.size(); i += 1000) {
      var _ =
          stub.recordModelPerformance(
              RecordModelPerformanceRequest.newBuilder()
                  .addAllRecords(records.subList(i, i + 1000))
                  .build());
    }

    Told told =
        Told.by(() ->
            stub.getPerformanceSeries(
                GetPerformanceSeriesRequest.newBuilder().setModelName("goal").build()));

    assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.fields()).containsExactly("segments");
  }

  @Test
  void refusesWhatIsTooLargeToKeep() {
    ClaimTrainingResponse claimed = GivenVersion.claimed(rapport);
    var trainings = TrainingServiceGrpc.newBlockingStub(rapport.channel());

    Struct large = GivenVersion.texts(2, 33_000);
    assertThat(fields(registering("").setModelMetadata(large))).containsExactly("model_metadata");
    assertThat(fields(registering("").setPerformanceMetrics(GivenVersion.texts(1, 17_000))))
        .containsExactly("performance_metrics");
    assertThat(fields(registering("").setPerformanceMetrics(GivenVersion.numbers("m", 201))))
        .containsExactly("performance_metrics");
    assertThat(
            Told.by(() ->
                    trainings.completeTraining(
                        GivenVersion.completing(claimed).setModelMetadata(large).build()))
                .fields())
        .containsExactly("model_metadata");
    assertThat(
            Told.by(() ->
                    trainings.completeTraining(
                        GivenVersion.completing(claimed)
                            .setPerformanceMetrics(GivenVersion.numbers("m", 201))
                            .build()))
                .fields())
        .containsExactly("performance_metrics");
    ModelVersion most =
        stub.registerModelVersion(
            registering("")
                .setModelMetadata(GivenVersion.texts(2, 32_000))
                .setPerformanceMetrics(GivenVersion.numbers("m", 200))
                .build());
    assertThat(most.getModelMetadata().getFieldsCount()).isEqualTo(2);
  }

  private List<String> fields(RegisterModelVersionRequest.Builder request) {
    return Told.by(() -> stub.registerModelVersion(request.build())).fields();
  }

  /** So many versions, each with as much as was ever taken. */
  private List<String> largeVersions(int count) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ids.add(models.register(registering("1.0." + i).build()).getId());
    }
    rapport
        .sql()
        .execute(
            "UPDATE versioning.model_versions SET"
                + " model_metadata = jsonb_build_object('x', repeat('x', 400000)),"
                + " performance_metrics = jsonb_build_object('y', repeat('y', 100000))"
                + " WHERE tenant_id = ?",
            rapport.tenant());
    return ids;
  }

  @Test
  void listsWhatIsLargeOnMorePages() {
    List<String> ids = largeVersions(8);

    Set<String> listed = new HashSet<>();
    String token = "";
    do {
      ListModelVersionsResponse page =
          stub.listModelVersions(ListModelVersionsRequest.newBuilder().setPageToken(token).build());
      assertThat(page.getModelVersionsList()).isNotEmpty();
      assertThat(page.getSerializedSize()).isLessThan(MIB + MIB / 2);
      page.getModelVersionsList().forEach(it -> assertThat(listed.add(it.getId())).isTrue());
      token = page.getNextPageToken();
    } while (!token.isEmpty());

    assertThat(listed).containsExactlyInAnyOrderElementsOf(ids);
  }

  @Test
  void comparesWithoutWhatCantBeCompared() {
    List<String> ids = largeVersions(20);
    CompareModelVersionsRequest all =
        CompareModelVersionsRequest.newBuilder().addAllModelVersionIds(ids).build();

    CompareModelVersionsResponse answer = stub.compareModelVersions(all);

    assertThat(answer.getSerializedSize()).isLessThan(3 * MIB);
    assertThat(answer.getModelVersionsList()).hasSize(20).noneMatch(it -> it.hasModelMetadata());
    rapport
        .sql()
        .execute(
            "UPDATE versioning.model_versions SET"
                + " performance_metrics = jsonb_build_object('y', repeat('y', 200000))"
                + " WHERE tenant_id = ?",
            rapport.tenant());
    Told told = Told.by(() -> stub.compareModelVersions(all));
    assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.fields()).containsExactly("model_version_ids");
  }

  @Test
  void comparesEachVersionOnce() {
    String one = models.register(registering("").build()).getId();
    String two = models.register(registering("").build()).getId();

    Told told =
        Told.by(() ->
            stub.compareModelVersions(
                CompareModelVersionsRequest.newBuilder()
                    .addModelVersionIds(one)
                    .addModelVersionIds(two)
                    .addModelVersionIds(one.toUpperCase(Locale.ROOT))
                    .build()));

    assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.fields()).containsExactly("model_version_ids[2]");
  }

  @Test
  void tellsHowTypesStandWithoutWhatIsLarge() {
    String id = largeVersions(1).getFirst();
    var _ =
        stub.promoteModelVersion(
            PromoteModelVersionRequest.newBuilder()
                .setModelVersionId(id)
                .addAllOverrides(GivenVersion.OVERRIDES)
                .build());

    Message status =
        LearningServiceGrpc.newBlockingStub(rapport.channel())
            .getLearningStatus(GetLearningStatusRequest.getDefaultInstance());

    assertThat(status.getSerializedSize()).isLessThan(50_000);
  }

  @Test
  void tellsHowManyTypesStandOnMorePages() {
    rapport
        .sql()
        .execute(
            "INSERT INTO versioning.model_versions (tenant_id, id, model_type, version, version_key,"
                + " model_path, registered_by, is_active, deployed_at)"
                + " SELECT ?, gen_random_uuid(), 'type ' || i, '1.0.0', 'k', repeat('p', 4000), 'x',"
                + " true, now() FROM generate_series(1, 500) i",
            rapport.tenant());
    var stub = LearningServiceGrpc.newBlockingStub(rapport.channel());

    List<String> types = new ArrayList<>();
    GetLearningStatusResponse page = GetLearningStatusResponse.getDefaultInstance();
    do {
      page =
          stub.getLearningStatus(
              GetLearningStatusRequest.newBuilder().setPageToken(page.getNextPageToken()).build());
      assertThat(page.getSerializedSize()).isLessThan(MIB + MIB / 2);
      page.getTypesList().forEach(it -> types.add(it.getModelType()));
    } while (!page.getNextPageToken().isEmpty());

    assertThat(types).hasSizeGreaterThan(500).isSorted().doesNotHaveDuplicates();
    assertThat(rapport.client().learning().status().getTypesList())
        .extracting(LearningStatus::getModelType)
        .containsExactlyElementsOf(types);
  }

  @Test
  void tellsOfAStructThatIsTooDeep() {
    for (int depth : List.of(33, 40, 300)) {
      Told told =
          Told.by(() ->
              stub.registerModelVersion(registering("").setModelMetadata(nested(depth)).build()));

      assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
      assertThat(told.reason()).isEqualTo(ErrorReason.JSON_TOO_DEEP.name());
    }
    assertThat(models.register(registering("").setModelMetadata(nested(32)).build()).getVersion())
        .isEqualTo("1.0.0");
  }

  private static Struct nested(int depth) {
    Struct struct = Struct.getDefaultInstance();
    for (int i = 1; i < depth; i++) {
      struct =
          Struct.newBuilder()
              .putFields("a", Value.newBuilder().setStructValue(struct).build())
              .build();
    }
    return struct;
  }
}
