package io.rapport.tracking.event;

import static io.rapport.server.Given.identity;
import static io.rapport.server.Given.time;
import static io.rapport.server.GivenContract.BAD;
import static io.rapport.server.GivenContract.GOOD;
import static io.rapport.server.GivenContract.TYPE;
import static io.rapport.server.GivenContract.workout;
import static io.rapport.server.GivenContract.workoutWith;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.rpc.Code;
import io.grpc.StatusRuntimeException;
import io.rapport.client.RapportClient;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import io.rapport.tracking.v1.CountEventsRequest;
import io.rapport.tracking.v1.DiscardQuarantinedEventsRequest;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventContract.Mode;
import io.rapport.tracking.v1.EventFilter;
import io.rapport.tracking.v1.EventGrouping;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.EventOutcome.Result;
import io.rapport.tracking.v1.EventProperty;
import io.rapport.tracking.v1.GetQuarantinedEventRequest;
import io.rapport.tracking.v1.ListQuarantinedEventsRequest;
import io.rapport.tracking.v1.QuarantineServiceGrpc;
import io.rapport.tracking.v1.QuarantinedEvent;
import io.rapport.tracking.v1.Release;
import io.rapport.tracking.v1.ReleaseQuarantinedEventsRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Events that were kept apart because they break a contract. */
class QuarantineTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @BeforeEach
  void putContract() {
    rapport.client().contracts().put(workout(Mode.QUARANTINE).build());
  }

  @Test
  void keepsTheWholeEventAsItWasSent() {
    Event bad =
        workoutWith("{\"minutes\":1e30,\"password\":\"x\",\"note\":\"é😀\"}")
            .setOccurredAt(time("2026-05-04T08:15:00Z"))
            .setUtcOffsetMinutes(-90)
            .setReceivedAt(time("2026-05-04T08:15:01Z"))
            .setText("text")
            .build();

    EventOutcome outcome = quarantine(bad);

    QuarantinedEvent kept =
        stub()
            .getQuarantinedEvent(
                GetQuarantinedEventRequest.newBuilder()
                    .setId(bad.getId())
                    .setDataAsJson(true)
                    .build());
    assertThat(kept.getEvent().toBuilder().clearDataJson().clearDigest().build())
        .isEqualTo(bad.toBuilder().clearDataJson().build());
    assertThat(kept.getEvent().getDataJson().toStringUtf8())
        .contains("é😀")
        .doesNotContain("password");
    assertThat(kept.getEvent().getDigest()).isEqualTo(outcome.getDigest());
    assertThat(kept.getViolationsList()).isEqualTo(outcome.getViolationsList()).isNotEmpty();
    assertThat(kept.getContractVersion()).isEqualTo(1);
    assertThat(kept.hasQuarantinedAt()).isTrue();
    assertThat(rapport.client().events().get(bad.getId())).isEmpty();
  }

  @Test
  void listsTheLastFirstByTypeAndTime() {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      ids.addFirst(quarantine(workoutWith(BAD).build()).getEventId());
    }
    List<QuarantinedEvent> all = rapport.client().quarantine().list().toList();

    assertThat(all).extracting(it -> it.getEvent().getId()).containsExactlyElementsOf(ids);
    assertThat(list(ListQuarantinedEventsRequest.newBuilder().setPageSize(2)))
        .containsExactlyElementsOf(ids);
    assertThat(list(ListQuarantinedEventsRequest.newBuilder().setEventType("other"))).isEmpty();
    assertThat(list(ListQuarantinedEventsRequest.newBuilder().setEventType(TYPE).setPageSize(3)))
        .containsExactlyElementsOf(ids);
    assertThat(
            list(
                ListQuarantinedEventsRequest.newBuilder()
                    .setFrom(all.get(4).getQuarantinedAt())
                    .setTo(all.get(1).getQuarantinedAt())))
        .containsExactlyElementsOf(ids.subList(2, 5));
  }

  @Test
  void pagesManyOfOneInstantOnceEach() {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      events.add(workoutWith(BAD).build());
    }
    rapport.client().events().batch(events);

    assertThat(list(ListQuarantinedEventsRequest.newBuilder().setPageSize(77)))
        .hasSize(300)
        .doesNotHaveDuplicates();
  }

  @Test
  void releasesWhatIsCorrected() {
    Event bad = workoutWith(BAD).setIdentity(identity("grace")).build();
    EventOutcome first = quarantine(bad);
    rapport.client().properties().declare("sport", EventProperty.Type.STRING);

    EventOutcome outcome = release(corrected(bad, GOOD)).getFirst();

    assertThat(outcome.getResult()).isEqualTo(Result.RECORDED);
    assertThat(outcome.getDigest()).isEqualTo(first.getDigest());
    assertThat(outcome.getViolationsList()).isEmpty();
    Event read = rapport.client().events().get(bad.getId()).orElseThrow();
    assertThat(read.getDataStruct().getFieldsOrThrow("sport").getStringValue()).isEqualTo("run");
    assertThat(read.getDigest()).isEqualTo(first.getDigest());
    assertThat(read.getRecordedAt()).isEqualTo(outcome.getRecordedAt());
    assertThat(read.getUserId())
        .isEqualTo(rapport.client().users().get(identity("grace")).orElseThrow().getId());
    assertThat(rapport.client().quarantine().get(bad.getId())).isEmpty();
    assertThat(count("sport")).isOne();
  }

  @Test
  void leavesAResendOfTheOriginalADuplicate() {
    Event bad = workoutWith(BAD).build();
    quarantine(bad);
    EventOutcome released = release(corrected(bad, GOOD)).getFirst();

    EventOutcome again = rapport.client().events().track(bad);
    EventOutcome other =
        rapport
            .client()
            .events()
            .batch(List.of(workoutWith(GOOD).setId(bad.getId()).build()))
            .getFirst();

    assertThat(again.getResult()).isEqualTo(Result.DUPLICATE);
    assertThat(again.getRecordedAt()).isEqualTo(released.getRecordedAt());
    assertThat(other.getResult()).isEqualTo(Result.CONFLICT);
  }

  @Test
  void releasesAsItIsWhatIsNotCorrected() {
    Event bad = workoutWith(BAD).build();
    quarantine(bad);
    QuarantinedEvent held = rapport.client().quarantine().get(bad.getId()).orElseThrow();

    EventOutcome outcome = release(Release.newBuilder().setEventId(bad.getId()).build()).getFirst();

    assertThat(outcome.getResult()).isEqualTo(Result.RECORDED);
    assertThat(outcome.getViolationsList()).hasSize(2);
    Event read = rapport.client().events().get(bad.getId()).orElseThrow();
    assertThat(read.getViolationsList()).isEqualTo(held.getViolationsList());
    assertThat(read.getContractVersion()).isEqualTo(1);
    assertThat(read.getOccurredAt()).isEqualTo(held.getQuarantinedAt());
  }

  @Test
  void releasesDataAtItsLimits() {
    String large = "{\"sport\":1,\"l\":[" + "1,".repeat(32_000) + "1],\"n\":[1e308,4.9e-324]}";
    Event bad = workoutWith(large).build();
    quarantine(bad);

    release(Release.newBuilder().setEventId(bad.getId()).build());

    assertThat(rapport.client().events().get(bad.getId()).orElseThrow().getDataStruct())
        .satisfies(it ->
            assertThat(it.getFieldsOrThrow("l").getListValue().getValuesCount()).isEqualTo(32_001));
  }

  @Test
  void takesACorrectionAsAStruct() {
    Event bad = workoutWith(BAD).build();
    quarantine(bad);
    Struct data =
        Struct.newBuilder()
            .putFields("sport", Value.newBuilder().setStringValue("row").build())
            .putFields("minutes", Value.newBuilder().setNumberValue(5).build())
            .build();

    release(Release.newBuilder().setEventId(bad.getId()).setDataStruct(data).build());

    assertThat(rapport.client().events().get(bad.getId()).orElseThrow().getDataStruct())
        .isEqualTo(data);
  }

  @Test
  void recordsNoneIfOneCorrectionBreaksTheContract() {
    Event one = workoutWith(BAD).build();
    Event two = workoutWith(BAD).build();
    Event three = workoutWith(BAD).build();
    List.of(one, two, three).forEach(QuarantineTest::quarantine);

    Told told =
        Told.by(() ->
            releaseByStub(
                List.of(
                    corrected(one, GOOD),
                    corrected(two, "{\"sport\":\"run\"}"),
                    corrected(three, "nonsense"))));

    assertThat(told.reason()).isEqualTo("BATCH_REFUSED");
    assertThat(told.fields()).containsExactly("releases[1].data.minutes", "releases[2].data_json");
    assertThat(rapport.client().quarantine().list()).hasSize(3);
    assertThat(rapport.client().events().list(EventFilter.getDefaultInstance())).isEmpty();
  }

  @Test
  void recordsNoneIfAUserIsNotThere() {
    Event bad = workoutWith(BAD).clearIdentity().setUserId(Given.id()).build();
    Event other = workoutWith(BAD).build();
    quarantine(bad);
    quarantine(other);

    Told told = Told.by(() -> releaseByStub(List.of(corrected(other, GOOD), corrected(bad, GOOD))));

    assertThat(told.fields()).containsExactly("releases[1]");
    assertThat(told.violations().getFirst().getReason()).isEqualTo("USER_NOT_FOUND");
    assertThat(rapport.client().quarantine().list()).hasSize(2);
  }

  @Test
  void refusesWhatIsNotInQuarantineOrNamedTwice() {
    Event bad = workoutWith(BAD).build();
    quarantine(bad);
    Release stranger = Release.newBuilder().setEventId(Given.id()).build();

    Told absent = Told.by(() -> releaseByStub(List.of(corrected(bad, GOOD), stranger)));
    Told twice = Told.by(() -> releaseByStub(List.of(corrected(bad, GOOD), corrected(bad, GOOD))));

    assertThat(absent.code()).isEqualTo(Code.NOT_FOUND);
    assertThat(absent.metadata()).containsEntry("id", stranger.getEventId());
    assertThat(twice.fields()).containsExactly("releases[1].event_id");
    assertThat(rapport.client().quarantine().list()).hasSize(1);
  }

  @Test
  void changesNothingIfOnlyAskedToCheck() {
    Event bad = workoutWith(BAD).setIdentity(identity("newcomer")).build();
    quarantine(bad);
    var request =
        ReleaseQuarantinedEventsRequest.newBuilder()
            .addReleases(corrected(bad, GOOD))
            .setValidateOnly(true)
            .build();

    assertThat(stub().releaseQuarantinedEvents(request).getOutcomes(0).getResult())
        .isEqualTo(Result.RECORDED);
    assertThat(rapport.client().quarantine().get(bad.getId())).isPresent();
    assertThat(rapport.client().users().get(identity("newcomer"))).isEmpty();
  }

  @Test
  void releasesAThousandInOneCommitAndLogsIt() {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      events.add(workoutWith(BAD).setIdentity(identity("user-" + i % 30)).build());
    }
    rapport.client().events().batch(events);
    var before = rapport.client().position();

    List<EventOutcome> outcomes =
        release(events.stream().map(it -> corrected(it, GOOD)).toArray(Release[]::new));

    assertThat(outcomes).extracting(EventOutcome::getResult).containsOnly(Result.RECORDED);
    assertThat(outcomes.stream().map(EventOutcome::getRecordedAt).distinct()).hasSize(1);
    assertThat(rapport.client().position().orElseThrow()).isGreaterThan(before.orElseThrow());
    assertThat(logged("event", "RECORDED")).isEqualTo(1000);
    assertThat(logged("tracking.quarantined_event", "CREATED")).isEqualTo(1000);
    assertThat(logged("tracking.quarantined_event", "DELETED")).isEqualTo(1000);
    assertThat(rapport.client().users().get(identity("user-3")).orElseThrow().getId()).isNotEmpty();
  }

  @Test
  void releasesTheSameRequestOnce() {
    Event bad = workoutWith(BAD).build();
    quarantine(bad);
    var request =
        ReleaseQuarantinedEventsRequest.newBuilder()
            .addReleases(corrected(bad, GOOD))
            .setRequestId(Given.id())
            .build();

    assertThat(stub().releaseQuarantinedEvents(request))
        .isEqualTo(stub().releaseQuarantinedEvents(request));
  }

  @Test
  void recordsOnceHoweverManyReleaseAndResend() throws Exception {
    Event bad = workoutWith(BAD).build();
    quarantine(bad);
    List<Callable<String>> racers = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      racers.add(() -> {
        try {
          return releaseByStub(List.of(corrected(bad, GOOD))).get(0).getResult().name();
        } catch (StatusRuntimeException e) {
          return Told.of(e).code().name();
        }
      });
      racers.add(() -> rapport.client().events().track(bad).getResult().name());
    }

    List<String> ends = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<String> end : threads.invokeAll(racers)) {
        ends.add(end.get());
      }
    }

    assertThat(ends).filteredOn("RECORDED"::equals).hasSize(1);
    assertThat(ends).filteredOn("NOT_FOUND"::equals).hasSize(5);
    assertThat(ends)
        .filteredOn(it -> !it.equals("RECORDED") && !it.equals("NOT_FOUND"))
        .hasSize(6)
        .isSubsetOf("QUARANTINED", "DUPLICATE");
    assertThat(rapport.client().events().list(EventFilter.getDefaultInstance())).hasSize(1);
  }

  @Test
  void discardsForEver() {
    Event bad = workoutWith(BAD).build();
    quarantine(bad);
    Event other = workoutWith(BAD).build();
    quarantine(other);

    rapport.client().quarantine().discard(List.of(bad.getId()));

    assertThat(rapport.client().quarantine().get(bad.getId())).isEmpty();
    assertThat(rapport.client().quarantine().get(other.getId())).isPresent();
    EventOutcome again = rapport.client().events().batch(List.of(bad)).getFirst();
    assertThat(again.getResult()).isEqualTo(Result.REFUSED);
    assertThat(new Told(again.getError()).reason()).isEqualTo("EVENT_DISCARDED");
    assertThat(
            rapport
                .client()
                .events()
                .batch(List.of(workoutWith(GOOD).setId(bad.getId()).build()))
                .getFirst()
                .getResult())
        .isEqualTo(Result.CONFLICT);
  }

  @Test
  void discardsNoneIfOneIsNotThere() {
    Event bad = workoutWith(BAD).build();
    quarantine(bad);
    var request =
        DiscardQuarantinedEventsRequest.newBuilder().addIds(bad.getId()).addIds(Given.id()).build();

    assertThat(Told.by(() -> stub().discardQuarantinedEvents(request)).code())
        .isEqualTo(Code.NOT_FOUND);
    assertThat(
            stub()
                .discardQuarantinedEvents(
                    DiscardQuarantinedEventsRequest.newBuilder()
                        .addIds(bad.getId())
                        .setValidateOnly(true)
                        .build())
                .getDiscarded())
        .isOne();
    assertThat(rapport.client().quarantine().list()).hasSize(1);
  }

  @Test
  void isATenantsOwn() {
    Event bad = workoutWith(BAD).build();
    quarantine(bad);

    try (RapportClient other = rapport.clientOf(rapport.newTenant())) {
      assertThat(other.quarantine().get(bad.getId())).isEmpty();
      assertThat(other.quarantine().list()).isEmpty();
      assertThat(other.events().track(bad).getResult()).isEqualTo(Result.RECORDED);
    }
    assertThat(rapport.client().quarantine().get(bad.getId())).isPresent();
  }

  private static EventOutcome quarantine(Event event) {
    EventOutcome outcome = rapport.client().events().track(event);
    assertThat(outcome.getResult()).isEqualTo(Result.QUARANTINED);
    return outcome;
  }

  private static Release corrected(Event event, String json) {
    return Release.newBuilder()
        .setEventId(event.getId())
        .setDataJson(ByteString.copyFromUtf8(json))
        .build();
  }

  private static List<EventOutcome> release(Release... releases) {
    return rapport.client().quarantine().release(List.of(releases));
  }

  private static List<EventOutcome> releaseByStub(List<Release> releases) {
    return stub()
        .releaseQuarantinedEvents(
            ReleaseQuarantinedEventsRequest.newBuilder().addAllReleases(releases).build())
        .getOutcomesList();
  }

  private static List<String> list(ListQuarantinedEventsRequest.Builder request) {
    return rapport
        .client()
        .quarantine()
        .list(request.build())
        .map(it -> it.getEvent().getId())
        .toList();
  }

  private static long count(String property) {
    return rapport
        .client()
        .events()
        .count(
            CountEventsRequest.newBuilder()
                .addGroupBy(EventGrouping.newBuilder().setProperty(property))
                .build())
        .getGroups(0)
        .getCount();
  }

  private static int logged(String kind, String op) {
    UUID tenant = rapport.tenant();
    return rapport
        .sql()
        .fetchSingle(
            "SELECT coalesce(sum(row_count), 0) FROM platform.change_log"
                + " WHERE tenant_id = ? AND kind = ? AND op = ?",
            tenant,
            kind,
            op)
        .get(0, Integer.class);
  }

  private static QuarantineServiceGrpc.QuarantineServiceBlockingStub stub() {
    return QuarantineServiceGrpc.newBlockingStub(rapport.channel());
  }
}
