package io.rapport.tracking.contract;

import static io.rapport.server.GivenContract.BAD;
import static io.rapport.server.GivenContract.GOOD;
import static io.rapport.server.GivenContract.TYPE;
import static io.rapport.server.GivenContract.workout;
import static io.rapport.server.GivenContract.workoutWith;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.util.Timestamps;
import com.google.rpc.Code;
import io.rapport.client.RapportClient;
import io.rapport.server.Given;
import io.rapport.server.GivenContract;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import io.rapport.tracking.v1.CheckContractRequest;
import io.rapport.tracking.v1.CheckContractResponse;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventContract;
import io.rapport.tracking.v1.EventContract.Mode;
import io.rapport.tracking.v1.EventContractServiceGrpc;
import io.rapport.tracking.v1.FieldRule;
import io.rapport.tracking.v1.GetContractRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class CheckContractTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @Test
  void countsWhatRecordedEventsBreak() {
    List<Event> events = record(1000);

    CheckContractResponse found = check(given(workout(Mode.REJECT).build()));

    assertThat(found.getChecked()).isEqualTo(1000);
    assertThat(found.getViolating()).isEqualTo(250);
    assertThat(found.getNextPageToken()).isEmpty();
    assertThat(found.getTruncated()).isFalse();
    assertThat(found.getViolationsList())
        .extracting(it -> it.getViolation().getPath() + " " + it.getViolation().getRule())
        .containsExactlyInAnyOrder("minutes RANGE", "sport TYPE");
    assertThat(found.getViolations(0).getCount()).isEqualTo(250);
    assertThat(found.getViolations(0).getSampleEventIdsList())
        .containsExactlyElementsOf(
            events.stream()
                .filter(it -> it.getDataJson().toStringUtf8().equals(BAD))
                .limit(10)
                .map(Event::getId)
                .toList());
  }

  @Test
  void changesNothing() {
    List<Event> events = record(4);

    check(given(workout(Mode.QUARANTINE).build()));

    assertThat(rapport.client().contracts().get(TYPE)).isEmpty();
    assertThat(rapport.client().events().get(events.getFirst().getId()).orElseThrow())
        .satisfies(it -> assertThat(it.getViolationsList()).isEmpty());
    assertThat(rapport.client().quarantine().list()).isEmpty();
  }

  @Test
  void checksAStoredVersionOrTheOneInForce() {
    record(8);
    rapport.client().contracts().put(workout(Mode.REJECT).build());
    rapport
        .client()
        .contracts()
        .put(EventContract.newBuilder().setEventType(TYPE).setMode(Mode.STAMP).build());

    assertThat(check(stored(1)).getViolating()).isEqualTo(2);
    assertThat(check(stored(2)).getViolating()).isZero();
    var inForce =
        CheckContractRequest.newBuilder()
            .setStored(GetContractRequest.newBuilder().setEventType(TYPE));
    assertThat(check(inForce).getViolating()).isZero();
    Told told = Told.by(() -> stub().checkContract(stored(3).build()));
    assertThat(told.code()).isEqualTo(Code.NOT_FOUND);
  }

  @Test
  void keepsToATimeRange() {
    record(100);
    EventContract contract = workout(Mode.STAMP).build();

    CheckContractResponse found =
        check(
            given(contract).setFrom(Timestamps.fromSeconds(10)).setTo(Timestamps.fromSeconds(30)));

    assertThat(found.getChecked()).isEqualTo(20);
    assertThat(found.getViolating()).isEqualTo(5);
  }

  @Test
  void goesOnWhereItStopped() {
    record(1000);
    CheckContractRequest.Builder request = given(workout(Mode.STAMP).build()).setMaxEvents(333);
    List<Long> checked = new ArrayList<>();
    long violating = 0;
    CheckContractResponse found;
    do {
      found = check(request);
      checked.add(found.getChecked());
      violating += found.getViolating();
      request.setPageToken(found.getNextPageToken());
    } while (!found.getNextPageToken().isEmpty());

    assertThat(checked).containsExactly(333L, 333L, 333L, 1L);
    assertThat(violating).isEqualTo(250);
    assertThat(Told.by(() -> stub().checkContract(stored(1).setPageToken("AAAA").build())).code())
        .isIn(Code.NOT_FOUND, Code.INVALID_ARGUMENT);
  }

  /** Some milliseconds of work for each event. */
  @Test
  void answersBeforeItsDeadline() {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < 4000; i++) {
      events.add(workoutWith("{\"a\":\"" + "a".repeat(400) + "\"}").build());
    }
    rapport.client().events().batch(events);
    EventContract slow =
        GivenContract.of(
            FieldRule.newBuilder()
                .setPath("a")
                .setType(FieldRule.Type.STRING)
                .setMaxLength(400)
                .setPattern("(a?){100}b"));

    CheckContractResponse part =
        stub().withDeadlineAfter(2, TimeUnit.SECONDS).checkContract(given(slow).build());
    CheckContractResponse next =
        stub()
            .withDeadlineAfter(2, TimeUnit.SECONDS)
            .checkContract(given(slow).setPageToken(part.getNextPageToken()).build());

    assertThat(part.getChecked()).isBetween(1L, 3999L);
    assertThat(part.getViolating()).isEqualTo(part.getChecked());
    assertThat(next.getChecked()).isPositive();
    assertThat(next.getViolations(0).getSampleEventIdsList())
        .doesNotContainAnyElementsOf(part.getViolations(0).getSampleEventIdsList());
  }

  @Test
  void refusesAContractThatCantBeJudgedBy() {
    var request = given(workout(Mode.STAMP).setTextField("minutes").build());

    assertThat(Told.by(() -> stub().checkContract(request.build())).fields())
        .containsExactly("contract.text_field");
    assertThat(
            Told.by(() -> stub().checkContract(CheckContractRequest.getDefaultInstance())).code())
        .isEqualTo(Code.INVALID_ARGUMENT);
  }

  @Test
  void seesEventsOfItsTenantOnly() {
    record(10);

    try (RapportClient other = rapport.clientOf(rapport.newTenant())) {
      assertThat(other.contracts().check(given(workout(Mode.STAMP).build()).build()).getChecked())
          .isZero();
    }
  }

  /** One a second from 1970 on, every fourth bad. */
  private static List<Event> record(int count) {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      events.add(
          workoutWith(i % 4 == 0 ? BAD : GOOD)
              .setOccurredAt(Timestamps.fromSeconds(i))
              .setId(Given.id())
              .build());
    }
    rapport.client().events().batch(events);
    return events;
  }

  private static CheckContractRequest.Builder given(EventContract contract) {
    return CheckContractRequest.newBuilder().setContract(contract);
  }

  private static CheckContractRequest.Builder stored(int version) {
    return CheckContractRequest.newBuilder()
        .setStored(GetContractRequest.newBuilder().setEventType(TYPE).setVersion(version));
  }

  private static CheckContractResponse check(CheckContractRequest.Builder request) {
    return rapport.client().contracts().check(request.build());
  }

  private static EventContractServiceGrpc.EventContractServiceBlockingStub stub() {
    return EventContractServiceGrpc.newBlockingStub(rapport.channel());
  }
}
