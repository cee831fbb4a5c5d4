package io.rapport.versioning.dataset;

import static io.rapport.versioning.dataset.GivenDataset.condition;
import static io.rapport.versioning.dataset.GivenDataset.dataset;
import static io.rapport.versioning.dataset.GivenDataset.event;
import static io.rapport.versioning.dataset.GivenDataset.source;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import com.google.protobuf.ByteString;
import com.google.rpc.Code;
import io.rapport.client.DataLossException;
import io.rapport.client.DatasetRows;
import io.rapport.client.DatasetsClient;
import io.rapport.client.EventsClient;
import io.rapport.client.WatchOptions;
import io.rapport.platform.v1.Change;
import io.rapport.platform.v1.ChangeFilter;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import io.rapport.tracking.v1.Event;
import io.rapport.versioning.v1.DatasetManifest;
import io.rapport.versioning.v1.EventTypeCount;
import io.rapport.versioning.v1.FeatureSchema;
import io.rapport.versioning.v1.FreezeDatasetRequest;
import io.rapport.versioning.v1.ManifestRow;
import io.rapport.versioning.v1.StreamManifestRowsRequest;
import io.rapport.versioning.v1.StreamManifestRowsResponse;
import io.rapport.versioning.v1.TrainingDataset;
import io.rapport.versioning.v1.TrainingDatasetServiceGrpc;
import io.rapport.versioning.v1.TrainingDatasetServiceGrpc.TrainingDatasetServiceBlockingStub;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ManifestTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @Test
  void freezesWhatIsThereAndNothingThatComesLater() {
    TrainingDataset made =
        datasets()
            .create(
                dataset(10).addSources(source("other").addConditions(condition("a", 1))).build());
    Event first = event("{\"a\":1,\"b\":\"x\",\"n\":{\"d\":[1]}}");
    Event second = Given.eventWith("{\"a\":1}").setEventType("other").build();
    events().track(first);
    events().track(second);
    events().track(Given.eventWith("{\"a\":2}").setEventType("other").build());

    DatasetManifest manifest = datasets().freeze(made.getId());
    events()
        .track(event("{}").toBuilder().setOccurredAt(Given.time("2020-01-01T00:00:00Z")).build());
    events().track(event("{}"));

    assertThat(manifest.getRowCount()).isEqualTo(2);
    assertThat(manifest.getDataCount()).isEqualTo(2);
    assertThat(manifest.getEventTypesList())
        .extracting(EventTypeCount::getEventType, EventTypeCount::getRowCount)
        .containsExactly(tuple("other", 1L), tuple("sample", 1L));
    assertThat(manifest.getFeaturesList())
        .containsExactly(
            FeatureSchema.newBuilder().setName("a").putTypes("number", 2).setFilled(1).build(),
            FeatureSchema.newBuilder().setName("b").putTypes("string", 1).setFilled(0.5).build(),
            FeatureSchema.newBuilder().setName("n").putTypes("object", 1).setFilled(0.5).build());
    assertThat(manifest.getSourcesList()).isEqualTo(made.getSourcesList());
    assertThat(manifest.getRangesCount()).isEqualTo(1);
    assertThat(datasets().manifest(manifest.getId())).contains(manifest);
    assertThat(datasets().manifests(made.getId()))
        .containsExactly(manifest.toBuilder().clearRanges().build());
    assertThat(ids(manifest)).containsExactly(first.getId(), second.getId());
    try (DatasetRows rows = datasets().rows(manifest.getId())) {
      assertThat(rows.next().getPresent().getFeaturesJson().toStringUtf8())
          .isEqualTo("{\"a\": 1, \"b\": \"x\", \"n\": {\"d\": [1]}}");
      rows.forEachRemaining(row -> {});
      assertThat(rows.end().orElseThrow().getDigest()).isEqualTo(manifest.getDigest());
      assertThat(rows.end().orElseThrow().getRowCount()).isEqualTo(2);
      assertThat(rows.end().orElseThrow().getMissingCount()).isZero();
    }
  }

  private static List<String> ids(DatasetManifest manifest) {
    List<String> ids = new ArrayList<>();
    try (DatasetRows rows = datasets().rows(manifest.getId())) {
      rows.forEachRemaining(row -> ids.add(row.getPresent().getEventId()));
    }
    return ids;
  }

  @Test
  void freezesAsOfAnOlderPosition() throws Exception {
    TrainingDataset made = datasets().create(dataset(10).build());
    Event first = event("{\"a\":1}");
    events().track(first);
    String position;
    ChangeFilter filter = ChangeFilter.newBuilder().addKinds("event").build();
    try (var watch = rapport.client().changes().watch(filter, WatchOptions.fromNow())) {
      Event second = event("{\"a\":2}");
      events().track(second);
      List<Change> changes = watch.next().items();
      while (changes.isEmpty()) {
        changes = watch.next().items();
      }
      position = changes.getFirst().getPosition();
    }
    events().track(event("{\"a\":3}"));
    events().batch(GivenDataset.events("{\"a\":4}", 3));

    DatasetManifest then = datasets().freeze(freezing(made, position), Duration.ofSeconds(10));
    DatasetManifest now = datasets().freeze(made.getId());

    assertThat(then.getPosition()).isEqualTo(position);
    assertThat(then.getRowCount()).isEqualTo(2);
    assertThat(then.getDataCount()).isEqualTo(2);
    assertThat(ids(then)).hasSize(2).contains(first.getId());
    assertThat(now.getRowCount()).isEqualTo(6);
    assertThat(ids(now).subList(0, 2)).isEqualTo(ids(then));
  }

  private static FreezeDatasetRequest freezing(TrainingDataset dataset, String position) {
    return FreezeDatasetRequest.newBuilder()
        .setTrainingDatasetId(dataset.getId())
        .setPosition(position)
        .build();
  }

  @Test
  void leavesOutWhatIsStillUnderWay() throws Exception {
    TrainingDataset made = datasets().create(dataset(10).build());
    events().track(event("{\"a\":1}"));
    try (var other =
        DriverManager.getConnection(
            rapport.database().jdbcUrl(),
            rapport.database().user(),
            rapport.database().password())) {
      other.setAutoCommit(false);
      try (var statement = other.createStatement()) {
        statement.execute(
            """
            insert into tracking.behavioral_events (tenant_id, id, user_id, event_type, event_data,
              occurred_at, recorded_at, batch)
            values ('%s', gen_random_uuid(), gen_random_uuid(), 'sample', '{}', now(), now(),
              pg_current_xact_id()::text::bigint)
            """
                .formatted(rapport.tenant()));
      }

      DatasetManifest manifest = datasets().freeze(made.getId());
      other.commit();

      assertThat(manifest.getRowCount()).isEqualTo(1);
      assertThat(ids(manifest)).hasSize(1);
      assertThat(datasets().freeze(made.getId()).getRowCount()).isEqualTo(2);
    }
  }

  @Test
  void namesWhatIsNoLongerThere() throws Exception {
    TrainingDataset made = datasets().create(dataset(10).build());
    List<Event> all = GivenDataset.events("{\"a\":1}", 5);
    events().batch(all);
    DatasetManifest manifest = datasets().freeze(made.getId());
    List<String> before = ids(manifest);
    rapport
        .sql()
        .execute(
            "delete from tracking.behavioral_events where tenant_id = ? and id = any (?::uuid[])",
            rapport.tenant(),
            new String[] {before.get(1), before.get(4)});

    List<ManifestRow> rows = new ArrayList<>();
    try (DatasetRows stream = datasets().rows(manifest.getId())) {
      stream.forEachRemaining(rows::add);
      assertThat(stream.end().orElseThrow().getMissingCount()).isEqualTo(2);
      assertThat(stream.end().orElseThrow().getDigest()).isEqualTo(manifest.getDigest());
    }

    assertThat(rows).hasSize(5);
    assertThat(rows.get(1).getMissingIdDigest()).isEqualTo(digest(before.get(1)));
    assertThat(rows.get(4).getMissingIdDigest()).isEqualTo(digest(before.get(4)));
    assertThat(rows.get(2).getPresent().getEventId()).isEqualTo(before.get(2));
  }

  private static ByteString digest(String id) throws Exception {
    UUID uuid = UUID.fromString(id);
    byte[] bytes =
        ByteBuffer.allocate(16)
            .putLong(uuid.getMostSignificantBits())
            .putLong(uuid.getLeastSignificantBits())
            .array();
    return ByteString.copyFrom(MessageDigest.getInstance("SHA-256").digest(bytes), 0, 16);
  }

  @Test
  void endsWithDataLossIfARowIsAnother() {
    TrainingDataset made = datasets().create(dataset(10).build());
    events().batch(GivenDataset.events("{\"a\":1}", 3));
    DatasetManifest manifest = datasets().freeze(made.getId());
    rapport
        .sql()
        .execute(
            "update tracking.behavioral_events set event_data = '{\"a\": 2}'"
                + " where tenant_id = ? and id = ?::uuid",
            rapport.tenant(),
            ids(manifest).getLast());

    assertThatThrownBy(() -> ids(manifest)).isInstanceOf(DataLossException.class);
  }

  @Test
  void goesOnAfterAnyMessage() {
    TrainingDataset made = datasets().create(dataset(10).build());
    String json = "{\"a\":\"" + "x".repeat(3000) + "\"}";
    for (int i = 0; i < 5; i++) {
      events().batch(GivenDataset.events(json, 500));
    }
    DatasetManifest manifest = datasets().freeze(made.getId());
    assertThat(manifest.getRangesCount()).isEqualTo(2);
    List<String> all = ids(manifest);
    assertThat(all).hasSize(2500).doesNotHaveDuplicates();

    List<String> parts = new ArrayList<>();
    String cursor = "";
    int messages = 0;
    StreamManifestRowsResponse message;
    do {
      Iterator<StreamManifestRowsResponse> stream =
          stub()
              .streamManifestRows(
                  StreamManifestRowsRequest.newBuilder()
                      .setManifestId(manifest.getId())
                      .setCursor(cursor)
                      .build());
      message = stream.next();
      message.getRowsList().forEach(row -> parts.add(row.getPresent().getEventId()));
      cursor = message.getCursor();
      messages++;
    } while (!message.hasEnd());

    assertThat(messages).isGreaterThan(5);
    assertThat(parts).isEqualTo(all);
    assertThat(message.getEnd().getDigest()).isEqualTo(manifest.getDigest());
  }

  @Test
  void goesOnAfterARowThatIsLargeByItself() {
    TrainingDataset made = datasets().create(dataset(10).build());
    // As text, such a number has 308 digits.
    events().track(event("{\"x\":[" + "9e307,".repeat(1700) + "1]}"));
    events().batch(GivenDataset.events("{\"a\":1}", 3));
    DatasetManifest manifest = datasets().freeze(made.getId());

    List<ManifestRow> rows = new ArrayList<>();
    stub()
        .withDeadlineAfter(20, TimeUnit.SECONDS)
        .streamManifestRows(
            StreamManifestRowsRequest.newBuilder().setManifestId(manifest.getId()).build())
        .forEachRemaining(message -> rows.addAll(message.getRowsList()));

    assertThat(rows).hasSize(4);
    assertThat(rows.getFirst().getPresent().getFeaturesJson().size()).isGreaterThan(512 * 1024);
  }

  @Test
  void refusesPositionsAndCursorsThatItDidNotGive() {
    TrainingDataset made = datasets().create(dataset(10).build());
    DatasetManifest manifest = datasets().freeze(made.getId());
    events().track(event("{}"));
    DatasetManifest later = datasets().freeze(made.getId());
    rapport
        .sql()
        .execute(
            "update platform.tenant_heads set trimmed_to = position where tenant_id = ?",
            rapport.tenant());

    Told old = Told.by(() -> stub().freezeDataset(freezing(made, manifest.getPosition())));
    Told wrong = Told.by(() -> stub().freezeDataset(freezing(made, "nonsense")));
    Told cursor =
        Told.by(() ->
            stub()
                .streamManifestRows(
                    StreamManifestRowsRequest.newBuilder()
                        .setManifestId(later.getId())
                        .setCursor("nonsense")
                        .build())
                .next());

    assertThat(old.code()).isEqualTo(Code.OUT_OF_RANGE);
    assertThat(old.reason()).isEqualTo("POSITION_NOT_KEPT");
    assertThat(wrong.reason()).isEqualTo("POSITION_INVALID");
    assertThat(cursor.reason()).isEqualTo("PAGE_TOKEN_INVALID");
  }

  private static DatasetsClient datasets() {
    return rapport.client().datasets();
  }

  private static EventsClient events() {
    return rapport.client().events();
  }

  private static TrainingDatasetServiceBlockingStub stub() {
    return TrainingDatasetServiceGrpc.newBlockingStub(rapport.channel());
  }
}
