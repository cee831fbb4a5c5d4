package io.rapport.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Status;
import io.rapport.client.FakeService.Fate;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventOutcome;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class EventWriterTest {
  private static final IngestOptions SMALL = IngestOptions.defaults().withMessage(10, 1 << 20);

  private final InProcess peer = newPeer();

  private static InProcess newPeer() {
    try {
      return new InProcess();
    } catch (IOException impossible) {
      throw new AssertionError(impossible);
    }
  }

  @AfterEach
  void close() {
    peer.close();
  }

  @Test
  void recordsEveryEventInOrder() {
    List<Event> events = events(5_000);

    IngestSummary summary = write(SMALL, events);

    assertThat(summary).isEqualTo(new IngestSummary(5_000, 5_000, 0, 0, 0, 0, 0));
    assertThat(List.copyOf(peer.service.recorded.values())).isEqualTo(events);
    assertThat(peer.service.messageSizes).allMatch(size -> size <= 10);
  }

  @Test
  void sendsWhatThereIsWhenNothingIsOnTheWay() {
    try (EventWriter writer = peer.client.events().ingest()) {
      writer.write(InProcess.event(1));

      InProcess.until(() -> writer.summary().recorded() == 1);
    }
  }

  @Test
  void flushWaitsForAllThatWasWritten() {
    try (EventWriter writer = peer.client.events().ingest(SMALL)) {
      events(95).forEach(writer::write);
      writer.flush();

      assertThat(writer.summary().recorded()).isEqualTo(95);
      assertThat(writer.undecided()).isEmpty();
    }
  }

  @Test
  void goesOnAfterAStreamThatBrokeBeforeRecording() {
    peer.service.fates =
        (message, request) -> message % 7 == 3 ? Fate.BREAK_BEFORE_RECORDING : Fate.ANSWER;
    List<Event> events = events(500);

    IngestSummary summary = write(SMALL, events);

    assertThat(summary.recorded()).isEqualTo(500);
    assertThat(summary.resent()).isPositive();
    assertThat(List.copyOf(peer.service.recorded.values())).isEqualTo(events);
  }

  @Test
  void countsEachEventOnceThatWasRecordedBeforeTheStreamBroke() {
    peer.service.fates =
        (message, request) -> message == 5 ? Fate.BREAK_AFTER_RECORDING : Fate.ANSWER;
    List<Event> events = events(500);

    IngestSummary summary = write(SMALL, events);

    assertThat(summary.duplicate()).isEqualTo(10);
    assertThat(summary.recorded()).isEqualTo(490);
    assertThat(summary.undecided()).isZero();
    assertThat(List.copyOf(peer.service.recorded.values())).isEqualTo(events);
  }

  @Test
  void goesOnWhenTheServiceEndsTheStreamInOrder() {
    peer.service.fates = (message, request) -> message == 3 ? Fate.END_ORDERLY : Fate.ANSWER;

    assertThat(write(SMALL, events(200)).recorded()).isEqualTo(200);

    assertThat(peer.service.streams).hasValue(2);
  }

  @Test
  void tellsEveryFateOnceAndInOrder() {
    List<Event> events = new ArrayList<>(events(100));
    events.add(events.get(5));
    events.add(events.get(6).toBuilder().setText("another").build());
    List<Long> positions = Collections.synchronizedList(new ArrayList<>());
    List<EventOutcome> outcomes = Collections.synchronizedList(new ArrayList<>());
    List<Long> exceptions = Collections.synchronizedList(new ArrayList<>());
    peer.service.fates =
        (message, request) -> message == 4 ? Fate.BREAK_BEFORE_RECORDING : Fate.ANSWER;

    IngestSummary summary =
        write(
            SMALL
                .withEveryOutcome((position, outcome) -> {
                  positions.add(position);
                  outcomes.add(outcome);
                })
                .withExceptions((position, outcome) -> exceptions.add(position)),
            events);

    assertThat(positions).isEqualTo(IntStream.range(0, 102).mapToObj(Long::valueOf).toList());
    assertThat(outcomes)
        .extracting(EventOutcome::getEventId)
        .isEqualTo(events.stream().map(Event::getId).toList());
    assertThat(exceptions).containsExactly(100L, 101L);
    assertThat(summary.duplicate()).isEqualTo(1);
    assertThat(summary.conflict()).isEqualTo(1);
  }

  @Test
  void makesWritersWaitWhenTheServiceDoesNotAnswer() throws InterruptedException {
    peer.service.fates = (message, request) -> Fate.HOLD;
    EventWriter writer = peer.client.events().ingest(SMALL.withBuffer(35, 1 << 20));
    Thread thread = new Thread(() -> writeUntilInterrupted(writer));
    thread.start();

    InProcess.until(() -> thread.getState() == Thread.State.WAITING);
    assertThat(writer.summary().written()).isEqualTo(35);

    thread.interrupt();
    thread.join();
    assertThat(writer.summary().written()).isEqualTo(35);
  }

  @Test
  void makesWritersWaitWhenTheBytesAreTooMany() throws InterruptedException {
    peer.service.fates = (message, request) -> Fate.HOLD;
    EventWriter writer = peer.client.events().ingest(SMALL.withBuffer(1_000, 1_000));
    Thread thread = new Thread(() -> writeUntilInterrupted(writer));
    thread.start();

    InProcess.until(() -> thread.getState() == Thread.State.WAITING);

    assertThat(writer.summary().written()).isBetween(10L, 20L);
    thread.interrupt();
    thread.join();
  }

  @Test
  void keepsOnlySoManyMessagesOnTheWay() {
    peer.service.fates = (message, request) -> Fate.HOLD;
    EventWriter writer = peer.client.events().ingest(SMALL.withInFlight(3));
    events(100).forEach(writer::write);

    InProcess.until(() -> peer.service.messages.get() == 3);
    assertThat(writer.undecided()).hasSize(100);
  }

  @Test
  void failsAtOnceWhenTheTokenIsNotTaken() {
    peer.service.streamFault =
        Faults.times(9, Faults.of(Status.Code.UNAUTHENTICATED, "TOKEN_INVALID"));
    Event event = InProcess.event(1);
    EventWriter writer = peer.client.events().ingest();
    writer.write(event);

    assertThatThrownBy(writer::flush)
        .hasCauseInstanceOf(UnauthenticatedException.class)
        .isInstanceOfSatisfying(
            IngestFailedException.class,
            failure -> assertThat(failure.undecided()).containsExactly(event.getId()));
    assertThatThrownBy(() -> writer.write(event)).isInstanceOf(IngestFailedException.class);
    writer.close();
    assertThat(peer.service.streams).hasValue(1);
  }

  @Test
  void tellsAFailureWhenClosedThatNobodyWasToldOf() {
    peer.service.streamFault =
        Faults.times(9, Faults.of(Status.Code.PERMISSION_DENIED, "RIGHT_MISSING"));
    EventWriter writer = peer.client.events().ingest();
    writer.write(InProcess.event(1));

    assertThatThrownBy(writer::close).hasCauseInstanceOf(PermissionDeniedException.class);
  }

  @Test
  void givesUpAfterTheLongestOutage() {
    peer.service.streamFault = Status.UNAVAILABLE::asRuntimeException;
    EventWriter writer = peer.client.events().ingest(SMALL.withMaxOutage(Duration.ofMillis(300)));
    writer.write(InProcess.event(1));

    assertThatThrownBy(writer::flush).hasCauseInstanceOf(UnavailableException.class);

    assertThat(peer.service.streams.get()).isGreaterThan(1);
    assertThat(writer.undecided()).hasSize(1);
  }

  @Test
  void renewsAnExpiredTokenOnceTheStreamHasGotOn() {
    peer.service.streamBreak = Faults.of(Status.Code.UNAUTHENTICATED, "TOKEN_EXPIRED");
    peer.service.fates =
        (message, request) -> message == 4 ? Fate.BREAK_BEFORE_RECORDING : Fate.ANSWER;
    AtomicInteger asked = new AtomicInteger();
    RapportClient client =
        RapportClient.builder("localhost:0")
            .channel(peer.channel())
            .token(() -> "token" + asked.incrementAndGet())
            .build();

    try (EventWriter writer = client.events().ingest(SMALL.withInFlight(1))) {
      events(100).forEach(writer::write);
    }

    assertThat(peer.service.recorded).hasSize(100);
    assertThat(asked).hasValue(2);
  }

  @Test
  void refusesOnlyTheEventThatIsTooLarge() {
    Event large = InProcess.event(50).toBuilder().setText("x".repeat(100_000)).build();
    List<Event> events = new ArrayList<>(events(100));
    events.add(50, large);
    peer.service.streamBreak = Faults.of(Status.Code.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE");
    peer.service.fates =
        (message, request) ->
            request.getSerializedSize() > 100_000 ? Fate.BREAK_BEFORE_RECORDING : Fate.ANSWER;
    List<Long> refused = Collections.synchronizedList(new ArrayList<>());

    IngestSummary summary =
        write(SMALL.withExceptions((position, outcome) -> refused.add(position)), events);

    assertThat(summary.recorded()).isEqualTo(100);
    assertThat(summary.refused()).isEqualTo(1);
    assertThat(refused).containsExactly(50L);
  }

  @Test
  void endsWhenAListenerThrows() {
    EventWriter writer =
        peer.client
            .events()
            .ingest(
                SMALL.withEveryOutcome((position, outcome) -> {
                  throw new IllegalStateException("listener");
                }));
    writer.write(InProcess.event(1));

    assertThatThrownBy(writer::flush).hasRootCauseMessage("listener");
    writer.close();
  }

  @Test
  void takesEventsOfSeveralThreads() throws InterruptedException {
    EventWriter writer = peer.client.events().ingest();
    List<Thread> threads =
        IntStream.range(0, 4)
            .mapToObj(i -> new Thread(() -> events(2_500).forEach(writer::write)))
            .toList();
    threads.forEach(Thread::start);
    for (Thread thread : threads) {
      thread.join();
    }
    writer.close();

    assertThat(writer.summary().recorded()).isEqualTo(10_000);
    assertThat(peer.service.recorded).hasSize(10_000);
  }

  private IngestSummary write(IngestOptions options, List<Event> events) {
    EventWriter writer = peer.client.events().ingest(options);
    try (writer) {
      events.forEach(writer::write);
    }
    return writer.summary();
  }

  private static void writeUntilInterrupted(EventWriter writer) {
    try {
      while (true) {
        writer.write(InProcess.event(0));
      }
    } catch (CancelledException expected) {
      Thread.interrupted();
    }
  }

  private static List<Event> events(int count) {
    return IntStream.range(0, count).mapToObj(InProcess::event).toList();
  }
}
