package io.rapport.tracking.event;

import static io.rapport.server.Given.event;
import static io.rapport.server.Given.eventWith;
import static io.rapport.server.Given.identity;
import static io.rapport.server.GivenContract.BAD;
import static io.rapport.server.GivenContract.GOOD;
import static io.rapport.server.GivenContract.TYPE;
import static io.rapport.server.GivenContract.workout;
import static io.rapport.server.GivenContract.workoutWith;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.Code;
import io.rapport.client.EventWriter;
import io.rapport.client.IngestOptions;
import io.rapport.client.IngestSummary;
import io.rapport.client.RapportClient;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.RapportServer;
import io.rapport.server.Told;
import io.rapport.tracking.v1.BatchTrackEventsRequest;
import io.rapport.tracking.v1.ContractViolation;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventContract;
import io.rapport.tracking.v1.EventContract.Mode;
import io.rapport.tracking.v1.EventFilter;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.EventOutcome.Result;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.FieldRule;
import io.rapport.tracking.v1.TrackEventRequest;
import io.rapport.tracking.v1.TrackingSettings;
import io.rapport.tracking.v1.TrackingSettings.UnknownTypes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What becomes of events that break the contract of their type. */
class ContractedEventTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @Test
  void rejectsAndNamesTheFields() {
    put(workout(Mode.REJECT));

    Told told = Told.by(() -> stub().trackEvent(track(workoutWith(BAD).build())));

    assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.reason()).isEqualTo("CONTRACT_VIOLATED");
    assertThat(told.fields()).containsExactly("event.data.minutes", "event.data.sport");
    assertThat(told.violations().getFirst().getDescription())
        .isEqualTo("must be at least 1.0 and at most 600.0");
    assertThat(told.metadata()).containsEntry("contract_version", "1");
    assertThat(rows()).isZero();
    assertThat(track(rapport.client(), workoutWith(GOOD)).getResult()).isEqualTo(Result.RECORDED);
  }

  @Test
  void stampsAndRecords() {
    put(workout(Mode.STAMP));
    Event bad = workoutWith(BAD).build();

    EventOutcome outcome = rapport.client().events().track(bad);

    assertThat(outcome.getResult()).isEqualTo(Result.RECORDED);
    assertThat(outcome.getContractVersion()).isEqualTo(1);
    assertThat(rules(outcome.getViolationsList())).containsExactly("minutes RANGE", "sport TYPE");
    Event read = rapport.client().events().get(bad.getId()).orElseThrow();
    assertThat(read.getViolationsList()).isEqualTo(outcome.getViolationsList());
    assertThat(read.getContractVersion()).isEqualTo(1);
    Event good = workoutWith(GOOD).build();
    assertThat(rapport.client().events().track(good).hasContractVersion()).isFalse();
    assertThat(rapport.client().events().get(good.getId()).orElseThrow().hasContractVersion())
        .isFalse();
  }

  @Test
  void stampsInLargeBatchesAsInSmallOnes() {
    put(workout(Mode.STAMP));
    List<Event> events = mixed(1000);

    rapport.client().events().batch(events);

    List<Event> read = rapport.client().events().list(EventFilter.getDefaultInstance()).toList();
    assertThat(read).hasSize(1000);
    assertThat(read)
        .allSatisfy(it ->
            assertThat(rules(it.getViolationsList()))
                .isEqualTo(
                    it.getText().equals("bad")
                        ? List.of("minutes RANGE", "sport TYPE")
                        : List.of()));
  }

  @Test
  void quarantinesOnceForEver() {
    put(workout(Mode.QUARANTINE));
    Event bad = workoutWith(BAD).build();
    Event other = bad.toBuilder().setText("other").build();

    EventOutcome first = rapport.client().events().track(bad);

    assertThat(first.getResult()).isEqualTo(Result.QUARANTINED);
    assertThat(first.getContractVersion()).isEqualTo(1);
    assertThat(first.hasRecordedAt()).isFalse();
    assertThat(rules(first.getViolationsList())).containsExactly("minutes RANGE", "sport TYPE");
    assertThat(rapport.client().events().track(bad)).isEqualTo(first);
    Told told = Told.by(() -> stub().trackEvent(track(other)));
    assertThat(told.reason()).isEqualTo("EVENT_CONFLICT");
    assertThat(told.metadata()).containsEntry("recorded_digest", first.getDigest());
    rapport.client().contracts().deactivate(TYPE);
    assertThat(rapport.client().events().track(bad).getResult()).isEqualTo(Result.QUARANTINED);
    assertThat(rows()).isZero();
    assertThat(quarantined()).isOne();
  }

  /** A sender whose answer was lost is told the truth, whatever contract came since. */
  @ParameterizedTest
  @EnumSource(
      value = Mode.class,
      names = {"REJECT", "QUARANTINE", "STAMP"})
  void leavesWhatWasRecordedBeforeADuplicate(Mode mode) {
    Event bad = workoutWith(BAD).build();
    rapport.client().events().track(bad);
    put(workout(mode));

    assertThat(rapport.client().events().track(bad).getResult()).isEqualTo(Result.DUPLICATE);
    assertThat(results(rapport.client().events().batch(List.of(bad, bad))))
        .containsExactly(Result.DUPLICATE, Result.DUPLICATE);
    assertThat(rapport.client().events().batchAllOrNothing(List.of(bad)).getFirst().getResult())
        .isEqualTo(Result.DUPLICATE);
    assertThat(
            stub()
                .trackEvent(track(bad).toBuilder().setValidateOnly(true).build())
                .getOutcome()
                .getResult())
        .isEqualTo(Result.DUPLICATE);
  }

  @Test
  void judgesAnIdThatComesTwiceInABatchAgainstItsFirstPlace() {
    put(workout(Mode.QUARANTINE));
    Event bad = workoutWith(BAD).build();
    Event good = workoutWith(GOOD).setId(bad.getId()).build();
    Event worse = bad.toBuilder().setText("worse").build();

    assertThat(results(rapport.client().events().batch(List.of(bad, bad, good, worse))))
        .containsExactly(Result.QUARANTINED, Result.QUARANTINED, Result.CONFLICT, Result.CONFLICT);
    assertThat(quarantined()).isOne();
    assertThat(rows()).isZero();
  }

  @Test
  void letsARejectedEventKeepNoOtherFromItsId() {
    put(workout(Mode.REJECT));
    Event bad = workoutWith(BAD).build();
    Event good = workoutWith(GOOD).setId(bad.getId()).build();

    assertThat(results(rapport.client().events().batch(List.of(bad, good, bad))))
        .containsExactly(Result.REFUSED, Result.RECORDED, Result.REFUSED);
  }

  @Test
  void decidesTenThousandMixedEventsExactly() {
    put(workout(Mode.QUARANTINE));
    List<Event> events = mixed(10_000);

    List<EventOutcome> outcomes = rapport.client().events().batch(events);
    List<EventOutcome> again = rapport.client().events().batch(events);

    for (int i = 0; i < events.size(); i++) {
      boolean bad = events.get(i).getText().equals("bad");
      assertThat(outcomes.get(i).getEventId()).isEqualTo(events.get(i).getId());
      assertThat(outcomes.get(i).getResult()).isEqualTo(bad ? Result.QUARANTINED : Result.RECORDED);
      assertThat(again.get(i).getResult()).isEqualTo(bad ? Result.QUARANTINED : Result.DUPLICATE);
    }
    assertThat(quarantined()).isEqualTo(3334);
    assertThat(rows()).isEqualTo(6666);
  }

  @Test
  void quarantinesInStreams() throws Exception {
    put(workout(Mode.QUARANTINE));
    List<EventOutcome> told = new ArrayList<>();
    EventWriter writer =
        rapport
            .client()
            .events()
            .ingest(
                IngestOptions.defaults()
                    .withMessage(100, 1 << 20)
                    .withExceptions((position, outcome) -> told.add(outcome)));
    try (writer) {
      mixed(900).forEach(writer::write);
    }

    assertThat(writer.summary()).isEqualTo(new IngestSummary(900, 600, 0, 0, 0, 300, 0));
    assertThat(told)
        .hasSize(300)
        .extracting(EventOutcome::getResult)
        .containsOnly(Result.QUARANTINED);
    assertThat(quarantined()).isEqualTo(300);
  }

  @ParameterizedTest
  @EnumSource(
      value = Mode.class,
      names = {"REJECT", "QUARANTINE"})
  void refusesABatchThatIsToBeRecordedWhole(Mode mode) {
    put(workout(mode));
    List<Event> events = List.of(workoutWith(GOOD).build(), workoutWith(BAD).build());
    var request =
        BatchTrackEventsRequest.newBuilder().addAllEvents(events).setAllOrNothing(true).build();

    for (boolean validateOnly : List.of(true, false)) {
      Told told =
          Told.by(() ->
              stub().batchTrackEvents(request.toBuilder().setValidateOnly(validateOnly).build()));

      assertThat(told.reason()).isEqualTo("BATCH_REFUSED");
      assertThat(told.fields()).containsExactly("events[1].data.minutes", "events[1].data.sport");
    }
    assertThat(rows()).isZero();
    assertThat(quarantined()).isZero();
    assertThat(results(rapport.client().events().batch(events)).getFirst())
        .isEqualTo(Result.RECORDED);
  }

  @ParameterizedTest
  @CsvSource({"QUARANTINE,QUARANTINED", "STAMP,RECORDED"})
  void answersAsIfAndChangesNothing(Mode mode, Result result) {
    put(workout(mode));
    Event bad = workoutWith(BAD).build();

    EventOutcome outcome =
        stub().trackEvent(track(bad).toBuilder().setValidateOnly(true).build()).getOutcome();

    assertThat(outcome.getResult()).isEqualTo(result);
    assertThat(rules(outcome.getViolationsList())).hasSize(2);
    assertThat(rows() + quarantined()).isZero();
    assertThat(rapport.client().events().track(bad).getResult()).isEqualTo(result);
  }

  @Test
  void makesNoUserOfAQuarantinedEvent() {
    put(workout(Mode.QUARANTINE));
    Event stranger = workoutWith(BAD).clearIdentity().setUserId(Given.id()).build();

    track(rapport.client(), workoutWith(BAD).setIdentity(identity("nobody")));

    assertThat(rapport.client().users().get(identity("nobody"))).isEmpty();
    assertThat(rapport.client().events().track(stranger).getResult()).isEqualTo(Result.QUARANTINED);
  }

  @ParameterizedTest
  @CsvSource({"REJECT,CONTRACT_VIOLATED", "QUARANTINE,''", "ACCEPT,''"})
  void takesUnknownTypesAsTheTenantSays(UnknownTypes types, String reason) {
    take(types);

    List<EventOutcome> outcomes =
        rapport
            .client()
            .events()
            .batch(
                List.of(
                    event().setEventType("mystery").build(),
                    eventWith("{\"page_url\":\"/\"}").build(),
                    event().setEventType("wallet_view").build()));

    EventOutcome mystery = outcomes.getFirst();
    assertThat(new Told(mystery.getError()).reason()).isEqualTo(reason);
    assertThat(mystery.getResult())
        .isEqualTo(
            switch (types) {
              case REJECT -> Result.REFUSED;
              case QUARANTINE -> Result.QUARANTINED;
              default -> Result.RECORDED;
            });
    assertThat(mystery.hasContractVersion()).isFalse();
    if (types == UnknownTypes.REJECT) {
      assertThat(new Told(mystery.getError()).fields()).containsExactly("event_type");
    }
    assertThat(results(outcomes.subList(1, 3))).containsExactly(Result.RECORDED, Result.RECORDED);
    assertThat(outcomes.get(1).getViolationsList()).isEmpty();
  }

  @Test
  void knowsTypesThatTheTenantHasAContractFor() {
    take(UnknownTypes.REJECT);
    put(workout(Mode.REJECT));

    assertThat(track(rapport.client(), workoutWith(GOOD)).getResult()).isEqualTo(Result.RECORDED);
    rapport.client().contracts().deactivate(TYPE);
    assertThat(track(rapport.client(), workoutWith(BAD)).getResult()).isEqualTo(Result.RECORDED);
  }

  @Test
  void stampsKnownTypesByTheServicesOwnContracts() {
    EventOutcome outcome =
        track(
            rapport.client(),
            eventWith("{\"product_id\":\"p\",\"interaction_type\":\"steal\"}")
                .setEventType("purchase"));

    assertThat(outcome.getResult()).isEqualTo(Result.RECORDED);
    assertThat(outcome.hasContractVersion()).isTrue();
    assertThat(outcome.getContractVersion()).isZero();
    assertThat(rules(outcome.getViolationsList())).containsExactly("interaction_type VALUE");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"a\":1}|a TYPE",
        "{\"a\":\"\"}|",
        "{\"a\":null}|",
        "{}|",
        "{\"a\":\"toolong\"}|a LENGTH",
        "{\"a\":\"abc1\"}|a PATTERN",
        "{\"n\":1.5}|n TYPE",
        "{\"n\":1.0}|",
        "{\"n\":1e2}|",
        "{\"n\":-0.0}|",
        "{\"n\":-1}|n RANGE",
        "{\"n\":9007199254740993}|n RANGE",
        "{\"n\":\"1\"}|n TYPE",
        "{\"t\":\"2026-05-04T08:15:00Z\"}|",
        "{\"t\":\"2026-05-04T08:15:00.123456+02:00\"}|",
        "{\"t\":\"2026-05-04\"}|t TYPE",
        "{\"t\":\"2026-02-30T00:00:00Z\"}|t TYPE",
        "{\"t\":1777875300}|t TYPE",
        "{\"b\":true}|",
        "{\"b\":\"true\"}|b TYPE",
        "{\"l\":[1,2,3]}|",
        "{\"l\":[1,2,3,4]}|l LENGTH",
        "{\"l\":{}}|l TYPE",
        "{\"o\":[]}|o TYPE",
        "{\"o\":{\"any\":1}}|",
        "{\"v\":\"red\"}|",
        "{\"v\":\"Red\"}|v VALUE",
        "{\"x\":1}|x UNKNOWN_FIELD",
        "{\"x\":null}|",
        "{\"password\":1}|",
        "{\"d\":{}}|d.e.f REQUIRED",
        "{\"d\":7}|d.e.f REQUIRED",
        "{\"d\":{\"e\":{\"f\":0,\"g\":1}}}|d.e.g UNKNOWN_FIELD",
      })
  void judgesValues(String json, String expected) {
    EventContract.Builder contract =
        EventContract.newBuilder()
            .setEventType(TYPE)
            .setMode(Mode.STAMP)
            .setRefuseUnknownFields(true)
            .addFields(rule("a", FieldRule.Type.STRING).setMaxLength(5).setPattern("^[a-z]*$"))
            .addFields(rule("n", FieldRule.Type.INTEGER).setMin(0).setMax(9007199254740992.0))
            .addFields(rule("t", FieldRule.Type.TIMESTAMP))
            .addFields(rule("b", FieldRule.Type.BOOLEAN))
            .addFields(rule("l", FieldRule.Type.ARRAY).setMaxLength(3))
            .addFields(rule("o", FieldRule.Type.OBJECT))
            .addFields(rule("v", FieldRule.Type.STRING).addValues("red").addValues("green"));
    if (json.contains("\"d\"")) {
      contract.addFields(rule("d.e.f", FieldRule.Type.NUMBER).setRequired(true));
    }
    put(contract);

    List<String> found = rules(track(rapport.client(), workoutWith(json)).getViolationsList());

    assertThat(found).isEqualTo(expected == null ? List.of() : List.of(expected));
  }

  @Test
  void looksAsDeepAsDataGoes() {
    String path = "a.".repeat(31) + "a";
    put(
        EventContract.newBuilder()
            .setEventType(TYPE)
            .setMode(Mode.STAMP)
            .addFields(rule(path, FieldRule.Type.NUMBER).setRequired(true)));
    String deep = "{\"a\":".repeat(32) + "1" + "}".repeat(32);
    String wrong = "{\"a\":".repeat(32) + "\"\"" + "}".repeat(32);

    assertThat(track(rapport.client(), workoutWith(deep)).getViolationsList()).isEmpty();
    assertThat(rules(track(rapport.client(), workoutWith(wrong)).getViolationsList()))
        .containsExactly(path + " TYPE");
    assertThat(
            rules(track(rapport.client(), workoutWith("{\"a\":{\"a\":[]}}")).getViolationsList()))
        .containsExactly(path + " REQUIRED");
  }

  @Test
  void keepsTwentyViolationsAndShortPaths() {
    put(
        EventContract.newBuilder()
            .setEventType(TYPE)
            .setMode(Mode.STAMP)
            .setRefuseUnknownFields(true));
    StringBuilder json = new StringBuilder("{\"" + "é".repeat(600) + "\":1");
    for (int i = 0; i < 50; i++) {
      json.append(",\"f").append(i).append("\":1");
    }

    List<ContractViolation> found =
        track(rapport.client(), workoutWith(json + "}")).getViolationsList();

    assertThat(found).hasSize(20);
    assertThat(found).allMatch(it -> it.getPath().length() <= 500);
  }

  @Test
  void takesTheTextFromTheFieldThatTheContractNames() {
    put(
        EventContract.newBuilder()
            .setEventType(TYPE)
            .setMode(Mode.STAMP)
            .setTextField("note.text"));
    Event named = workoutWith("{\"note\":{\"text\":\"felt good\"}}").build();
    Event own = named.toBuilder().setId(Given.id()).setText("mine").build();
    Event none = workoutWith("{\"note\":{\"text\":7}}").build();

    rapport.client().events().batch(List.of(named, own, none));

    assertThat(
            Stream.of(named, own, none)
                .map(it -> rapport.client().events().get(it.getId()).orElseThrow().getText()))
        .containsExactly("felt good", "mine", "");
    assertThat(rapport.client().events().track(named).getResult()).isEqualTo(Result.DUPLICATE);
  }

  @Test
  void isInForceAtOnceHereAndSoonInAnotherServer() {
    try (RapportServer second = rapport.serve(Map.of());
        RapportClient there = rapport.clientOf(second)) {
      assertThat(track(there, workoutWith(BAD)).getResult()).isEqualTo(Result.RECORDED);

      put(workout(Mode.QUARANTINE));
      long began = System.nanoTime();

      assertThat(track(rapport.client(), workoutWith(BAD)).getResult())
          .isEqualTo(Result.QUARANTINED);
      while (track(there, workoutWith(BAD)).getResult() != Result.QUARANTINED) {
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(2));
      }
      take(UnknownTypes.QUARANTINE);
      began = System.nanoTime();
      while (track(there, event().setEventType("new")).getResult() != Result.QUARANTINED) {
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(2));
      }
    }
  }

  /** Every third is bad, from the first. */
  private static List<Event> mixed(int count) {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      boolean bad = i % 3 == 0;
      events.add(
          workoutWith(bad ? BAD : GOOD)
              .setText(bad ? "bad" : "good")
              .setIdentity(identity("user-" + i % 50))
              .build());
    }
    return events;
  }

  private static FieldRule.Builder rule(String path, FieldRule.Type type) {
    return FieldRule.newBuilder().setPath(path).setType(type);
  }

  private static void put(EventContract.Builder contract) {
    rapport.client().contracts().put(contract.build());
  }

  private static void take(UnknownTypes types) {
    rapport
        .client()
        .contracts()
        .update(TrackingSettings.newBuilder().setUnknownTypes(types).build());
  }

  private static EventOutcome track(RapportClient client, Event.Builder event) {
    return client.events().track(event.build());
  }

  private static TrackEventRequest track(Event event) {
    return TrackEventRequest.newBuilder().setEvent(event).build();
  }

  private static List<Result> results(List<EventOutcome> outcomes) {
    return outcomes.stream().map(EventOutcome::getResult).toList();
  }

  private static List<String> rules(List<ContractViolation> violations) {
    return violations.stream().map(it -> it.getPath() + " " + it.getRule()).toList();
  }

  private static int rows() {
    return count("behavioral_events");
  }

  private static int quarantined() {
    return count("quarantined_events");
  }

  private static int count(String table) {
    return rapport
        .sql()
        .fetchSingle(
            "SELECT count(*) FROM tracking." + table + " WHERE tenant_id = ?", rapport.tenant())
        .get(0, Integer.class);
  }

  private static EventServiceGrpc.EventServiceBlockingStub stub() {
    return EventServiceGrpc.newBlockingStub(rapport.channel());
  }
}
