package io.rapport.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.rapport.identity.v1.Identity;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventFilter;
import io.rapport.tracking.v1.EventOutcome;
import java.io.IOException;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class EventsClientTest {
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
    peer.client.close();
    peer.close();
  }

  @Test
  void givesAnEventOneIdForAllTries() {
    peer.service.unaryFault = Faults.times(2, Status.UNAVAILABLE.asRuntimeException());

    EventOutcome outcome =
        peer.client
            .events()
            .track("visit", Identity.newBuilder().setProvider("okta").setSubject("7").build());

    assertThat(peer.service.unaryCalls).hasValue(3);
    assertThat(UUID.fromString(outcome.getEventId()).version()).isEqualTo(7);
    assertThat(peer.service.recorded).containsOnlyKeys(outcome.getEventId());
  }

  @Test
  void repeatsAWriteOfUnknownOutcome() {
    peer.service.unaryFault =
        Faults.times(1, Faults.of(Status.Code.UNKNOWN, "COMMIT_OUTCOME_UNKNOWN"));

    peer.client.events().track(InProcess.event(1));

    assertThat(peer.service.unaryCalls).hasValue(2);
  }

  @Test
  void doesNotRepeatARefusedWrite() {
    peer.service.unaryFault =
        Faults.times(9, Faults.of(Status.Code.INVALID_ARGUMENT, "INVALID_FIELD"));

    assertThatThrownBy(() -> peer.client.events().track(InProcess.event(1)))
        .isInstanceOf(InvalidArgumentException.class);

    assertThat(peer.service.unaryCalls).hasValue(1);
  }

  @Test
  void cutsALongListAndKeepsItsOrder() {
    List<Event> events = IntStream.range(0, 25_000).mapToObj(InProcess::event).toList();

    List<EventOutcome> outcomes = peer.client.events().batch(events);

    assertThat(peer.service.messageSizes).containsExactly(10_000, 10_000, 5_000);
    assertThat(outcomes).extracting(EventOutcome::getEventId).isEqualTo(ids(events));
    assertThat(outcomes.get(24_999).getIndex()).isEqualTo(24_999);
  }

  @Test
  void cutsALargeListByBytes() {
    String text = "x".repeat(10_000);
    List<Event> events =
        IntStream.range(0, 500)
            .mapToObj(i -> InProcess.event(i).toBuilder().setText(text).build())
            .toList();

    assertThat(peer.client.events().batch(events)).hasSize(500);

    assertThat(peer.service.messageSizes).hasSize(2);
  }

  @Test
  void fetchesAPageOnlyWhenItIsRead() {
    Iterator<Event> events = peer.client.events().list(EventFilter.getDefaultInstance()).iterator();
    assertThat(peer.service.unaryCalls).hasValue(0);

    events.next();
    events.next();
    assertThat(peer.service.unaryCalls).hasValue(1);

    events.next();
    assertThat(peer.service.unaryCalls).hasValue(2);
  }

  @Test
  void listsEveryPage() {
    assertThat(peer.client.events().list(EventFilter.getDefaultInstance()).map(Event::getText))
        .containsExactly("page 1 a", "page 1 b", "page 2 a", "page 2 b", "page 3 a", "page 3 b");
  }

  @Test
  void findsNoEventWhereThereIsNone() {
    peer.service.unaryFault =
        Faults.times(1, Faults.of(Status.Code.NOT_FOUND, "RESOURCE_NOT_FOUND"));

    assertThat(peer.client.events().get(EventIds.next())).isEmpty();
  }

  @Test
  void endsEachCallByItsOwnDeadline() {
    peer.service.silent = true;
    RapportClient hasty =
        RapportClient.builder("localhost:0")
            .channel(peer.channel())
            .readDeadline(Duration.ofMillis(50))
            .build();

    for (int i = 0; i < 2; i++) {
      long start = System.nanoTime();
      assertThatThrownBy(() -> hasty.events().get(EventIds.next()))
          .isInstanceOf(DeadlineExceededException.class);
      assertThat(System.nanoTime() - start).isGreaterThan(40_000_000L);
    }
  }

  @Test
  void leavesTheOutcomeOfAWriteOpenThatWasNotAnsweredInTime() {
    peer.service.silent = true;
    RapportClient hasty =
        RapportClient.builder("localhost:0")
            .channel(peer.channel())
            .writeDeadline(Duration.ofMillis(50))
            .build();

    assertThatThrownBy(() -> hasty.events().track(InProcess.event(1)))
        .isInstanceOf(UnknownOutcomeException.class);
  }

  @Test
  void endsBeforeItsCallersDeadline() throws Exception {
    peer.service.silent = true;
    ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    Context.CancellableContext context =
        Context.current().withDeadline(Deadline.after(2, TimeUnit.SECONDS), timer);

    context.run(() ->
        assertThatThrownBy(() -> peer.client.events().get(EventIds.next()))
            .isInstanceOf(DeadlineExceededException.class));

    assertThat(context.isCancelled()).isFalse();
    context.cancel(null);
    timer.shutdownNow();
  }

  @Test
  void saysThatNothingWasSentWhenNobodyIsThere() {
    ManagedChannel nowhere = InProcessChannelBuilder.forName("nobody").build();
    RapportClient client = RapportClient.builder("localhost:0").channel(nowhere).build();

    assertThatThrownBy(() -> client.events().track(InProcess.event(1)))
        .isInstanceOf(UnavailableException.class);

    nowhere.shutdownNow();
  }

  @Test
  void refusesMetadataThatTheServiceWouldCutTheConnectionFor() {
    RapportClient client =
        RapportClient.builder("localhost:0")
            .channel(peer.channel())
            .token("x".repeat(9_000))
            .build();

    assertThatThrownBy(() -> client.events().get(EventIds.next()))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("metadata");

    assertThat(peer.service.unaryCalls).hasValue(0);
  }

  private static List<String> ids(List<Event> events) {
    return events.stream().map(Event::getId).toList();
  }
}
