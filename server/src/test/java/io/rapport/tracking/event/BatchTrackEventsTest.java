package io.rapport.tracking.event;

import static io.rapport.server.Given.event;
import static io.rapport.server.Given.events;
import static io.rapport.server.Given.identity;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.UnknownFieldSet;
import com.google.rpc.Code;
import io.rapport.identity.v1.Identity;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import io.rapport.tracking.v1.BatchTrackEventsRequest;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.EventOutcome.Result;
import io.rapport.tracking.v1.EventServiceGrpc;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatchTrackEventsTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @Test
  void tellsEachEventsOutcomeInTheOrderSent() {
    Event before = event().build();
    send(List.of(before));
    Event other = before.toBuilder().setText("other").build();
    Event stranger = event().clearIdentity().setUserId(Given.id()).build();
    Event wrong = event().setEventType("").build();

    List<EventOutcome> outcomes = send(List.of(event().build(), before, other, stranger, wrong));

    assertThat(outcomes)
        .extracting(EventOutcome::getResult)
        .containsExactly(
            Result.RECORDED, Result.DUPLICATE, Result.CONFLICT, Result.REFUSED, Result.REFUSED);
    assertThat(outcomes).extracting(EventOutcome::getIndex).containsExactly(0, 1, 2, 3, 4);
    assertThat(outcomes.get(2).getEventId()).isEqualTo(before.getId());
    assertThat(outcomes)
        .extracting(it -> new Told(it.getError()).reason())
        .containsExactly("", "", "EVENT_CONFLICT", "USER_NOT_FOUND", "INVALID_FIELD");
  }

  @Test
  void judgesAnIdThatComesTwiceAgainstItsFirstPlace() {
    Event event = event().build();
    Event other = event.toBuilder().setText("other").build();

    List<EventOutcome> outcomes = send(List.of(event, event, other, event));

    assertThat(results(outcomes))
        .containsExactly(Result.RECORDED, Result.DUPLICATE, Result.CONFLICT, Result.DUPLICATE);
    assertThat(rows()).isEqualTo(1);
  }

  @Test
  void letsARefusedEventKeepNoOtherFromItsId() {
    Event good = event().build();
    Event stranger = good.toBuilder().clearIdentity().setUserId(Given.id()).build();

    List<EventOutcome> outcomes = send(List.of(stranger, good, good));

    assertThat(results(outcomes))
        .containsExactly(Result.REFUSED, Result.RECORDED, Result.DUPLICATE);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 499, 999})
  void recordsAllButOnePoisonedEvent(int place) {
    List<Event> events = new ArrayList<>(events(1000));
    events.set(place, event().setText("a\0b").build());

    List<EventOutcome> outcomes = send(events);

    assertThat(outcomes.get(place).getResult()).isEqualTo(Result.REFUSED);
    assertThat(results(outcomes)).filteredOn(it -> it == Result.RECORDED).hasSize(999);
    assertThat(rows()).isEqualTo(999);
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 1000})
  void answersAResendWithDuplicatesThatNameTheFirstRecording(int count) {
    List<Event> events = events(count);
    List<EventOutcome> first = send(events);

    List<EventOutcome> second = send(events);

    assertThat(results(second)).containsOnly(Result.DUPLICATE);
    assertThat(second)
        .extracting(EventOutcome::getRecordedAt)
        .isEqualTo(first.stream().map(EventOutcome::getRecordedAt).toList());
    assertThat(second)
        .extracting(EventOutcome::getDigest)
        .isEqualTo(first.stream().map(EventOutcome::getDigest).toList());
    assertThat(rows()).isEqualTo(count);
  }

  @Test
  void givesAnIdToAnEventWithoutOne() {
    List<EventOutcome> outcomes = send(List.of(event().clearId().build()));

    assertThat(UUID.fromString(outcomes.getFirst().getEventId()).version()).isEqualTo(7);
  }

  @Test
  void takesTenThousandEvents() {
    assertThat(results(send(events(10_000)))).hasSize(10_000).containsOnly(Result.RECORDED);
  }

  @Test
  void refusesNoEventsAndMoreThanTenThousand() {
    Told none = Told.by(() -> send(List.of()));
    Told many = Told.by(() -> send(Collections.nCopies(10_001, event().build())));

    assertThat(none.fields()).containsExactly("events");
    assertThat(many.fields()).containsExactly("events");
    assertThat(many.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(rows()).isZero();
  }

  @Test
  void refusesAMessageJustOverItsSizeAndTakesOneAtIt() {
    Event text = event().setText("x".repeat(10_000)).build();
    int fit = 4 * 1024 * 1024 / (text.getSerializedSize() + 4);
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < fit; i++) {
      events.add(text.toBuilder().setId(Given.id()).build());
    }

    Told told = Told.by(() -> send(Collections.nCopies(fit + 1, text)));

    assertThat(told.code()).isEqualTo(Code.RESOURCE_EXHAUSTED);
    assertThat(told.reason()).isEqualTo("MESSAGE_TOO_LARGE");
    assertThat(results(send(events))).hasSize(fit).containsOnly(Result.RECORDED);
  }

  @Test
  void recordsNoneIfAllWereAskedForAndOneIsAConflict() {
    Event recorded = event().build();
    send(List.of(recorded));
    Event conflict = recorded.toBuilder().setText("other").build();

    Told told = Told.by(() -> sendAll(List.of(event().build(), conflict, recorded)));

    assertThat(told.reason()).isEqualTo("BATCH_REFUSED");
    assertThat(told.fields()).containsExactly("events[1]");
    assertThat(told.violations().getFirst().getReason()).isEqualTo("EVENT_CONFLICT");
    assertThat(rows()).isEqualTo(1);
  }

  @Test
  void recordsNoneIfAllWereAskedForAndSomeAreRefused() {
    Event stranger = event().clearIdentity().setUserId(Given.id()).build();
    Event wrong = event().setEventType("").build();

    Told unknown = Told.by(() -> sendAll(List.of(event().build(), stranger)));
    Told bad = Told.by(() -> sendAll(List.of(wrong, event().build(), wrong)));

    assertThat(unknown.reason()).isEqualTo("BATCH_REFUSED");
    assertThat(unknown.fields()).containsExactly("events[1]");
    assertThat(bad.fields()).containsExactly("events[0].event_type", "events[2].event_type");
    assertThat(rows()).isZero();
    assertThat(rapport.client().users().get(identity("ada"))).isEmpty();
  }

  @Test
  void recordsAllWithDuplicatesIfAllWereAskedFor() {
    Event recorded = event().build();
    send(List.of(recorded));
    Event fresh = event().build();

    List<EventOutcome> outcomes = sendAll(List.of(recorded, fresh, fresh));

    assertThat(results(outcomes))
        .containsExactly(Result.DUPLICATE, Result.RECORDED, Result.DUPLICATE);
  }

  @Test
  void onlyJudgesIfOnlyAsked() {
    Event recorded = event().build();
    send(List.of(recorded));
    Event conflict = recorded.toBuilder().setText("other").build();
    Event newUser = event().setIdentity(identity("new")).build();
    BatchTrackEventsRequest request =
        BatchTrackEventsRequest.newBuilder()
            .addAllEvents(List.of(recorded, conflict, newUser, newUser))
            .setValidateOnly(true)
            .build();

    List<EventOutcome> outcomes = call(request);
    Told all = Told.by(() -> call(request.toBuilder().setAllOrNothing(true).build()));

    assertThat(results(outcomes))
        .containsExactly(Result.DUPLICATE, Result.CONFLICT, Result.RECORDED, Result.DUPLICATE);
    assertThat(all.fields()).containsExactly("events[1]");
    assertThat(rows()).isEqualTo(1);
    assertThat(rapport.client().users().get(identity("new"))).isEmpty();
  }

  @Test
  void knowsAUserByProviderAndSubjectAndNothingElse() {
    UnknownFieldSet unknown =
        UnknownFieldSet.newBuilder()
            .addField(99, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
            .build();
    Identity ada = identity("ada");
    Event plain = event().setIdentity(ada).build();
    Event newer = event().setIdentity(ada.toBuilder().setUnknownFields(unknown)).build();

    send(List.of(plain));
    send(List.of(newer));

    String user = rapport.client().users().get(ada).orElseThrow().getId();
    assertThat(rapport.client().events().get(newer.getId()).orElseThrow().getUserId())
        .isEqualTo(user);
  }

  @Test
  void makesAUserOnceWhenTwoWritersMeetANewIdentity() throws Exception {
    List<Callable<List<EventOutcome>>> writers = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      List<Event> events = new ArrayList<>();
      for (int n = 0; n < 300; n++) {
        events.add(event().setIdentity(identity("user " + n)).build());
      }
      Collections.shuffle(events, new Random(i));
      writers.add(() -> send(events));
    }

    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<List<EventOutcome>> done : threads.invokeAll(writers)) {
        assertThat(results(done.get())).containsOnly(Result.RECORDED);
      }
    }

    assertThat(count("identity.users")).isEqualTo(300);
    assertThat(count("identity.identity_links")).isEqualTo(300);
    assertThat(
            rapport
                .sql()
                .fetchSingle(
                    "SELECT count(DISTINCT user_id) FROM tracking.behavioral_events"
                        + " WHERE tenant_id = ?",
                    rapport.tenant())
                .get(0, Integer.class))
        .isEqualTo(300);
  }

  @Test
  void recordsEachEventOnceWhenManySendTheSame() throws Exception {
    List<Event> events = events(500);
    List<Callable<List<EventOutcome>>> writers = Collections.nCopies(8, () -> send(events));

    List<String> recorded = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<List<EventOutcome>> done : threads.invokeAll(writers)) {
        assertThat(results(done.get())).isSubsetOf(Result.RECORDED, Result.DUPLICATE);
        done.get().stream()
            .filter(it -> it.getResult() == Result.RECORDED)
            .forEach(it -> recorded.add(it.getEventId()));
      }
    }

    assertThat(recorded).hasSize(500);
    assertThat(new HashSet<>(recorded)).hasSize(500);
    assertThat(rows()).isEqualTo(500);
    assertThat(count("tracking.behavioral_events")).isEqualTo(500);
  }

  private static List<Result> results(List<EventOutcome> outcomes) {
    return outcomes.stream().map(EventOutcome::getResult).toList();
  }

  private static List<EventOutcome> send(List<Event> events) {
    return call(BatchTrackEventsRequest.newBuilder().addAllEvents(events).build());
  }

  private static List<EventOutcome> sendAll(List<Event> events) {
    return call(
        BatchTrackEventsRequest.newBuilder().addAllEvents(events).setAllOrNothing(true).build());
  }

  private static List<EventOutcome> call(BatchTrackEventsRequest request) {
    return EventServiceGrpc.newBlockingStub(rapport.channel())
        .batchTrackEvents(request)
        .getOutcomesList();
  }

  private static int rows() {
    return count("tracking.event_ids");
  }

  private static int count(String table) {
    return rapport
        .sql()
        .fetchSingle("SELECT count(*) FROM " + table + " WHERE tenant_id = ?", rapport.tenant())
        .get(0, Integer.class);
  }
}
