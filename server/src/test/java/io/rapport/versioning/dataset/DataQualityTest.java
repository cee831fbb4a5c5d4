package io.rapport.versioning.dataset;

import static io.rapport.versioning.dataset.GivenDataset.dataset;
import static io.rapport.versioning.dataset.GivenDataset.event;
import static io.rapport.versioning.dataset.GivenDataset.events;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import com.google.protobuf.ListValue;
import com.google.protobuf.NullValue;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.rpc.Code;
import io.rapport.client.DatasetsClient;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import io.rapport.tracking.v1.Event;
import io.rapport.versioning.v1.AssessDatasetRequest;
import io.rapport.versioning.v1.CategoryCount;
import io.rapport.versioning.v1.DataQualityMetrics;
import io.rapport.versioning.v1.DataQualityServiceGrpc;
import io.rapport.versioning.v1.DatasetDrift;
import io.rapport.versioning.v1.DatasetDrift.Verdict;
import io.rapport.versioning.v1.FeatureDrift;
import io.rapport.versioning.v1.FieldQuality;
import io.rapport.versioning.v1.FieldQuality.ValueType;
import io.rapport.versioning.v1.GetDriftRequest;
import io.rapport.versioning.v1.ListDataQualityMetricsRequest;
import io.rapport.versioning.v1.QualityTrend;
import io.rapport.versioning.v1.TrainingDataset;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class DataQualityTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final Offset<Double> CLOSE = within(1e-9);

  @Test
  void findsWhatIsReckonedByHand() {
    TrainingDataset dataset = datasets().create(dataset(100).build());
    track(
        "{\"amount\":10,\"note\":\"a\"}",
        "{\"note\":\"a\",\"amount\":10}",
        "{\"amount\":\"10\",\"note\":\"\"}",
        "{\"amount\":2000000000,\"note\":null,\"deep\":{\"x\":[1,{\"y\":2}]}}",
        "{\"deep\":{\"x\":[1,{\"y\":2}]},\"note\":null,\"amount\":2000000000}");

    DataQualityMetrics found = datasets().assess(dataset.getId());

    assertThat(found.getRecordCount()).isEqualTo(5);
    assertThat(found.getFieldCount()).isEqualTo(3);
    assertThat(found.getCompletenessScore()).isCloseTo(9 / 15.0, CLOSE);
    assertThat(found.getConsistencyScore()).isCloseTo(14 / 15.0, CLOSE);
    assertThat(found.getValidityScore()).isCloseTo(7 / 15.0, CLOSE);
    assertThat(found.getOverallScore()).isCloseTo(0.66, CLOSE);
    assertThat(found.getMissingValuesCount()).isEqualTo(6);
    assertThat(found.getDuplicateCount()).isEqualTo(2);
    assertThat(found.getAnomalyCount()).isZero();
    assertThat(found.getFieldsList())
        .extracting(FieldQuality::getName)
        .containsExactly("amount", "deep", "note");
    FieldQuality amount = found.getFields(0);
    assertThat(amount.getValueType()).isEqualTo(ValueType.NUMBER);
    assertThat(amount.getMismatchCount()).isEqualTo(1);
    assertThat(amount.getValidCount()).isEqualTo(3);
    assertThat(amount.getNumbers().getCount()).isEqualTo(4);
    assertThat(amount.getNumbers().getMean()).isEqualTo(1_000_000_005);
    assertThat(amount.getNumbers().getStandardDeviation()).isEqualTo(999_999_995);
    assertThat(amount.getCategories().getTopList())
        .containsExactly(CategoryCount.newBuilder().setValue("10").setCount(1).build());
    assertThat(found.getFields(2).getMissingCount()).isEqualTo(3);
    assertThat(found.getFields(2).getCategories().getDistinctCount()).isEqualTo(1);
    assertThat(datasets().metrics(found.getId())).contains(found);
    assertThat(datasets().get(dataset.getId()).orElseThrow().getDataQualityScore())
        .isCloseTo(0.66, CLOSE);
  }

  @Test
  void findsAnomaliesAndFillsBins() {
    TrainingDataset dataset = datasets().create(dataset(100).build());
    rapport.client().events().batch(events("{\"x\":1,\"c\":0.1}", 20));
    track("{\"x\":100,\"c\":0.1}");

    DataQualityMetrics found = datasets().assess(dataset.getId());

    // Of 20 ones and a hundred the mean is 5.71 and the deviation 21.08; 0.1 is always the same.
    assertThat(found.getAnomalyCount()).isEqualTo(1);
    FieldQuality x = found.getFields(1);
    assertThat(x.getAnomalyCount()).isEqualTo(1);
    assertThat(x.getNumbers().getEdgesList()).startsWith(1.0, 100.0).hasSize(3);
    assertThat(x.getNumbers().getCountsList()).containsExactly(0L, 20L, 1L, 0L);
  }

  @Test
  void agreesWithTheDefinitions() {
    Random random = new Random(7);
    for (int round = 0; round < 5; round++) {
      TrainingDataset dataset =
          datasets()
              .create(
                  dataset(1_000_000)
                      .setDatasetType("round" + round)
                      .clearSources()
                      .addSources(GivenDataset.source("round" + round))
                      .build());
      List<Struct> records = new ArrayList<>();
      List<Event> events = new ArrayList<>();
      for (int i = 0; i < 300; i++) {
        Struct record = record(random);
        records.add(record);
        events.add(Given.event().setEventType("round" + round).setDataStruct(record).build());
      }
      rapport.client().events().batch(events);

      DataQualityMetrics found = datasets().assess(dataset.getId());

      ReferenceQuality expected = ReferenceQuality.of(records);
      assertThat(found.getCompletenessScore()).isCloseTo(expected.completeness(), CLOSE);
      assertThat(found.getConsistencyScore()).isCloseTo(expected.consistency(), CLOSE);
      assertThat(found.getValidityScore()).isCloseTo(expected.validity(), CLOSE);
      assertThat(found.getAnomalyCount()).isEqualTo(expected.anomalies()).isPositive();
      assertThat(found.getDuplicateCount()).isEqualTo(expected.duplicates()).isPositive();
      assertThat(found.getMissingValuesCount()).isEqualTo(expected.missing());
    }
  }

  private static Struct record(Random random) {
    Struct.Builder record = Struct.newBuilder();
    for (String name : List.of("a", "b", "c")) {
      Value.Builder value = Value.newBuilder();
      switch (random.nextInt(8)) {
        case 0 -> value.setNullValue(NullValue.NULL_VALUE);
        case 1 -> value.setStringValue("");
        case 2 -> value.setStringValue("t" + random.nextInt(3));
        case 3 -> value.setBoolValue(random.nextBoolean());
        case 4 ->
            value.setListValue(
                ListValue.newBuilder().addValues(Value.newBuilder().setNumberValue(1)));
        case 5 -> value.setNumberValue(random.nextInt(15) == 0 ? 3e9 : 5);
        case 6 -> value.setNumberValue(random.nextInt(3));
        default -> {
          continue;
        }
      }
      record.putFields(name, value.build());
    }
    return record.build();
  }

  @Test
  void assessesNumbersWhoseSquaresNoDoubleHolds() {
    TrainingDataset dataset = datasets().create(dataset(100).build());
    track("{\"a\":1e200}", "{\"a\":-1e300}", "{\"a\":1e-320}", "{\"a\":1e139}", "{\"a\":-1e139}");

    DataQualityMetrics found = datasets().assess(dataset.getId());

    assertThat(found.getRecordCount()).isEqualTo(5);
    assertThat(found.getFields(0).getPopulatedCount()).isEqualTo(5);
    assertThat(found.getFields(0).getNumbers().getCount()).isEqualTo(3);
    assertThat(found.getFields(0).getNumbers().getMean()).isZero();
    assertThat(found.getFields(0).getNumbers().getMax()).isEqualTo(1e139);

    TrainingDataset tiny =
        datasets()
            .create(
                dataset(100)
                    .setDatasetType("tiny")
                    .clearSources()
                    .addSources(GivenDataset.source("tiny"))
                    .build());
    rapport
        .client()
        .events()
        .track(event("{\"a\":1e-320}").toBuilder().setEventType("tiny").build());
    assertThat(datasets().assess(tiny.getId()).getFields(0).getNumbers().getMax()).isZero();
  }

  @Test
  void tellsDuplicatesAmongRecordsOfManyFields() {
    TrainingDataset dataset = datasets().create(dataset(1_000_000).setSampleSize(0).build());
    track(wide(5), wide(7), wide(5), "{\"a\":1}", "{\"a\":1.0}");
    assertThat(datasets().assess(dataset.getId()).getDuplicateCount()).isEqualTo(2);

    Random random = new Random(11);
    Set<String> records = new HashSet<>();
    for (int i = 0; i < 3; i++) {
      List<Event> events = new ArrayList<>();
      for (int j = 0; j < 1000; j++) {
        String record = flags(random);
        records.add(record);
        events.add(event(record));
      }
      rapport.client().events().batch(events);
    }

    assertThat(datasets().assess(dataset.getId()).getDuplicateCount())
        .isEqualTo(2 + 3000 - records.size());
  }

  /** Two fields that are far apart have the value, 18 others have their own. */
  private static String wide(int value) {
    List<String> fields = new ArrayList<>();
    for (int i = 1; i <= 20; i++) {
      fields.add("\"k%02d\":%d".formatted(i, i == 1 || i == 17 ? value : i * 100));
    }
    return "{" + String.join(",", fields) + "}";
  }

  private static String flags(Random random) {
    List<String> fields = new ArrayList<>();
    for (int i = 1; i <= 35; i++) {
      fields.add("\"k%02d\":%d".formatted(i, random.nextInt(2)));
    }
    return "{" + String.join(",", fields) + "}";
  }

  @Test
  void looksAtTheLastAndAtNamedFeaturesOnly() {
    TrainingDataset dataset =
        datasets()
            .create(dataset(100).setSampleSize(2).addFeatures("a.b").addFeatures("z").build());
    for (int i = 1; i <= 4; i++) {
      rapport
          .client()
          .events()
          .track(
              event("{\"a\":{\"b\":" + i + "},\"c\":1}").toBuilder()
                  .setOccurredAt(Given.time("2026-01-0" + i + "T00:00:00Z"))
                  .build());
    }

    DataQualityMetrics last = datasets().assess(dataset.getId());
    DataQualityMetrics all =
        datasets()
            .assess(
                AssessDatasetRequest.newBuilder()
                    .setTrainingDatasetId(dataset.getId())
                    .setSampleSize(0)
                    .build(),
                Duration.ofSeconds(10));

    assertThat(last.getRecordCount()).isEqualTo(2);
    assertThat(last.getFieldsList()).extracting(FieldQuality::getName).containsExactly("a.b", "z");
    assertThat(last.getFields(0).getNumbers().getMin()).isEqualTo(3);
    assertThat(last.getCompletenessScore()).isEqualTo(0.5);
    assertThat(all.getRecordCount()).isEqualTo(4);
    assertThat(all.getFields(0).getNumbers().getMin()).isEqualTo(1);
  }

  @Test
  void assessesADatasetWithoutEvents() {
    DataQualityMetrics found = datasets().assess(datasets().byType("goal").orElseThrow().getId());

    assertThat(found.getRecordCount()).isZero();
    assertThat(found.getCompletenessScore()).isZero();
    assertThat(found.getConsistencyScore()).isEqualTo(1);
    assertThat(found.getValidityScore()).isZero();
  }

  @Test
  void tellsWhatDrifts() {
    TrainingDataset dataset = datasets().create(dataset(1_000_000).setSampleSize(200).build());
    trackDays(1, 200, "\"same\":%d,\"moved\":%d,\"kind\":\"a\",\"old\":1", 0);
    DataQualityMetrics first = datasets().assess(dataset.getId());
    trackDays(2, 200, "\"same\":%d,\"moved\":%d,\"kind\":\"b\",\"fresh\":1", 150);
    DataQualityMetrics second = datasets().assess(dataset.getId());

    DatasetDrift drift = datasets().drift(dataset.getId());

    assertThat(drift.getBaselineId()).isEqualTo(first.getId());
    assertThat(drift.getCurrentId()).isEqualTo(second.getId());
    assertThat(drift.getVerdict()).isEqualTo(Verdict.SIGNIFICANT);
    assertThat(drift.getNewFeaturesList()).containsExactly("fresh");
    assertThat(drift.getLostFeaturesList()).containsExactly("old");
    assertThat(drift.getFeaturesList())
        .extracting(FeatureDrift::getName)
        .containsExactly("kind", "moved", "same");
    FeatureDrift kind = drift.getFeatures(0);
    assertThat(kind.getJensenShannon()).isEqualTo(1);
    assertThat(kind.hasKolmogorovSmirnov()).isFalse();
    FeatureDrift moved = drift.getFeatures(1);
    assertThat(moved.getVerdict()).isEqualTo(Verdict.SIGNIFICANT);
    assertThat(moved.getKolmogorovSmirnov()).isCloseTo(0.75, within(0.02));
    FeatureDrift same = drift.getFeatures(2);
    assertThat(same.getVerdict()).isEqualTo(Verdict.NONE);
    assertThat(same.getPopulationStabilityIndex()).isCloseTo(0, CLOSE);
    assertThat(same.getBaselineCount()).isEqualTo(200);

    DatasetDrift none =
        datasets()
            .drift(
                GetDriftRequest.newBuilder()
                    .setTrainingDatasetId(dataset.getId())
                    .setBaselineId(second.getId())
                    .setCurrentId(second.getId())
                    .build());
    assertThat(none.getVerdict()).isEqualTo(Verdict.NONE);
  }

  @Test
  void tellsThatAFeatureIsOfAnotherType() {
    TrainingDataset dataset = datasets().create(dataset(1_000_000).setSampleSize(50).build());
    trackDays(1, 50, "\"a\":1,\"b\":true,\"c\":1,\"n\":%d,\"m\":%d", 0);
    datasets().assess(dataset.getId());
    trackDays(2, 50, "\"a\":\"1\",\"b\":\"true\",\"c\":null,\"n\":%d,\"m\":%d", 0);
    DataQualityMetrics second = datasets().assess(dataset.getId());

    DatasetDrift drift = datasets().drift(dataset.getId());

    assertThat(second.getConsistencyScore()).isEqualTo(1);
    assertThat(drift.getVerdict()).isEqualTo(Verdict.SIGNIFICANT);
    assertThat(drift.getFeaturesList())
        .extracting(
            FeatureDrift::getName,
            FeatureDrift::getVerdict,
            FeatureDrift::getBaselineType,
            FeatureDrift::getCurrentType)
        .containsExactly(
            tuple("a", Verdict.SIGNIFICANT, ValueType.NUMBER, ValueType.STRING),
            tuple("b", Verdict.SIGNIFICANT, ValueType.BOOLEAN, ValueType.STRING),
            tuple(
                "c",
                Verdict.VERDICT_UNSPECIFIED,
                ValueType.NUMBER,
                ValueType.VALUE_TYPE_UNSPECIFIED),
            tuple("m", Verdict.NONE, ValueType.NUMBER, ValueType.NUMBER),
            tuple("n", Verdict.NONE, ValueType.NUMBER, ValueType.NUMBER));
  }

  private static void trackDays(int day, int count, String fields, int shift) {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      events.add(
          event("{" + fields.formatted(i, i + shift) + "}").toBuilder()
              .setOccurredAt(Given.time("2026-02-0" + day + "T12:00:00Z"))
              .build());
    }
    rapport.client().events().batch(events);
  }

  @Test
  void tellsHowQualityWentAndPagesIt() {
    TrainingDataset dataset = datasets().create(dataset(100).build());
    track("{\"a\":null}");
    DataQualityMetrics first = datasets().assess(dataset.getId());
    track("{\"a\":1}", "{\"a\":1}");
    DataQualityMetrics second = datasets().assess(dataset.getId());
    DataQualityMetrics third = datasets().assess(dataset.getId());

    QualityTrend trend = datasets().trend(dataset.getId());

    assertThat(trend.getPointsList())
        .extracting(DataQualityMetrics::getId)
        .containsExactly(first.getId(), second.getId(), third.getId());
    assertThat(trend.getPoints(0).getFieldsList()).isEmpty();
    assertThat(trend.getDirection()).isEqualTo(QualityTrend.Direction.IMPROVING);
    assertThat(trend.getSlope())
        .isCloseTo((third.getOverallScore() - first.getOverallScore()) / 2, CLOSE);
    assertThat(
            datasets()
                .history(
                    ListDataQualityMetricsRequest.newBuilder()
                        .setTrainingDatasetId(dataset.getId())
                        .setPageSize(1)
                        .build()))
        .extracting(DataQualityMetrics::getId)
        .containsExactly(third.getId(), second.getId(), first.getId());
  }

  @Test
  void refusesAssessmentsOfOtherDatasets() {
    TrainingDataset dataset = datasets().create(dataset(100).build());
    String other = datasets().byType("goal").orElseThrow().getId();
    DataQualityMetrics ofOther = datasets().assess(other);
    var stub = DataQualityServiceGrpc.newBlockingStub(rapport.channel());
    GetDriftRequest request =
        GetDriftRequest.newBuilder().setTrainingDatasetId(dataset.getId()).build();

    Told none = Told.by(() -> stub.getDrift(request));
    Told wrong =
        Told.by(() ->
            stub.getDrift(
                request.toBuilder()
                    .setBaselineId(ofOther.getId())
                    .setCurrentId(ofOther.getId())
                    .build()));
    Told absent =
        Told.by(() ->
            stub.getDrift(
                request.toBuilder()
                    .setCurrentId(Given.id())
                    .setBaselineId(ofOther.getId())
                    .build()));

    assertThat(none.code()).isEqualTo(Code.NOT_FOUND);
    assertThat(wrong.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(wrong.fields()).containsExactly("baseline_id");
    assertThat(absent.code()).isEqualTo(Code.NOT_FOUND);
  }

  private static void track(String... jsons) {
    for (String json : jsons) {
      rapport.client().events().track(event(json));
    }
  }

  private static DatasetsClient datasets() {
    return rapport.client().datasets();
  }
}
