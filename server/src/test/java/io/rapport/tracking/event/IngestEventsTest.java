package io.rapport.tracking.event;

import static io.rapport.server.Given.event;
import static io.rapport.server.Given.events;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.Code;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.RawCalls;
import io.rapport.server.Told;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.EventOutcome.Result;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.IngestEventsRequest;
import io.rapport.tracking.v1.IngestEventsResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class IngestEventsTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @Test
  void answersEachMessageOnceInOrder() throws Exception {
    Stream stream = new Stream();
    stream.read(100);
    for (int i = 0; i < 100; i++) {
      stream.send(1000 - i, events(1 + i % 7 * 60));
    }
    stream.call.halfClose();

    for (int i = 0; i < 100; i++) {
      IngestEventsResponse answer = stream.next();
      assertThat(answer.getSequence()).isEqualTo(1000 - i);
      assertThat(answer.getRecorded()).isEqualTo(1 + i % 7 * 60);
      assertThat(answer.hasRecordedAt()).isTrue();
      assertThat(answer.getOutcomesList()).isEmpty();
    }
    assertThat(stream.end().isOk()).isTrue();
  }

  @Test
  void namesOnlyOutcomesThatNeedAWord() throws Exception {
    Event recorded = event().build();
    rapport.client().events().track(recorded);
    Stream stream = new Stream();
    stream.read(2);

    stream.send(
        1,
        List.of(
            event().build(),
            recorded,
            recorded.toBuilder().setText("other").build(),
            event().setText("a\0b").build(),
            event().clearId().build(),
            Given.eventWith("{\"password\":1}").build()));

    IngestEventsResponse answer = stream.next();
    assertThat(answer.getRecorded()).isEqualTo(3);
    assertThat(answer.getOutcomesList())
        .extracting(EventOutcome::getIndex)
        .containsExactly(1, 2, 3, 4, 5);
    assertThat(answer.getOutcomesList())
        .extracting(EventOutcome::getResult)
        .containsExactly(
            Result.DUPLICATE, Result.CONFLICT, Result.REFUSED, Result.RECORDED, Result.RECORDED);
    assertThat(answer.getOutcomes(4).getRedaction().getDroppedKeysList())
        .containsExactly("password");
    stream.call.cancel("done", null);
  }

  @Test
  void goesOnAfterAMessageOfRefusedEventsOnly() throws Exception {
    Stream stream = new Stream();
    stream.read(2);

    stream.send(1, List.of(event().setEventType("").build()));
    stream.send(2, events(1));

    assertThat(stream.next().getRecorded()).isZero();
    assertThat(stream.next().getRecorded()).isEqualTo(1);
    stream.call.cancel("done", null);
  }

  @Test
  void endsWellWithoutMessages() throws Exception {
    Stream stream = new Stream();

    stream.call.halfClose();

    assertThat(stream.end().isOk()).isTrue();
  }

  @Test
  void failsAfterTheAnswersBeforeAMessageWithoutEvents() throws Exception {
    Stream stream = new Stream();
    stream.read(3);

    stream.send(1, events(500));
    stream.send(2, List.of());
    stream.send(3, events(1));

    assertThat(stream.next().getSequence()).isEqualTo(1);
    Told told = stream.told();
    assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.fields()).containsExactly("events");
  }

  @Test
  void failsOnAMessageOverItsSize() throws Exception {
    Stream stream = new Stream();
    stream.read(3);

    stream.send(1, events(1));
    stream.send(2, Collections.nCopies(430, event().setText("x".repeat(10_000)).build()));

    assertThat(stream.next().getSequence()).isEqualTo(1);
    Told told = stream.told();
    assertThat(told.code()).isEqualTo(Code.RESOURCE_EXHAUSTED);
    assertThat(told.reason()).isEqualTo("MESSAGE_TOO_LARGE");
  }

  @Test
  void failsOnAMessageThatIsNone() throws Exception {
    ClientCall<byte[], byte[]> call =
        rapport
            .channel()
            .newCall(RawCalls.raw(EventServiceGrpc.getIngestEventsMethod()), CallOptions.DEFAULT);
    Listener<byte[]> listener = new Listener<>();
    call.start(listener, new Metadata());
    call.request(2);

    call.sendMessage(new byte[] {(byte) 0xFF, 1, 2});

    assertThat(listener.told().reason()).isEqualTo("MESSAGE_MALFORMED");
  }

  @Test
  void endsWhenTheTokenDoes() throws Exception {
    Stream stream = new Stream();
    stream.read(2);
    stream.send(1, events(1));
    assertThat(stream.next().getSequence()).isEqualTo(1);

    rapport.clock().forward(Duration.ofHours(2));
    stream.send(2, events(1));

    Told told = stream.told();
    assertThat(told.code()).isEqualTo(Code.UNAUTHENTICATED);
    assertThat(told.reason()).isEqualTo("TOKEN_EXPIRED");
    assertThat(rows()).isEqualTo(1);
  }

  /** Answers are large, so that those not read fill the connection's window. */
  @Test
  void readsNoFurtherWhileItsAnswersAreNotRead() throws Exception {
    List<Event> refused = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      refused.add(Event.getDefaultInstance());
    }
    Stream stream = new Stream();
    int messages = 100;
    for (int i = 0; i < messages; i++) {
      List<Event> events = new ArrayList<>(refused);
      events.add(event().build());
      stream.send(i, events);
    }

    int before = settledRows();
    stream.read(messages);
    for (int i = 0; i < messages; i++) {
      assertThat(stream.next().getRecorded()).isEqualTo(1);
    }

    assertThat(before).isLessThan(messages / 2);
    assertThat(rows()).isEqualTo(messages);
    stream.call.cancel("done", null);
  }

  /** How many are recorded once no more are. */
  private static int settledRows() throws InterruptedException {
    int rows = -1;
    for (int now = rows(); now != rows || now == 0; now = rows()) {
      rows = now;
      TimeUnit.MILLISECONDS.sleep(300);
    }
    return rows;
  }

  private static int rows() {
    return rapport
        .sql()
        .fetchSingle(
            "SELECT count(*) FROM tracking.event_ids WHERE tenant_id = ?", rapport.tenant())
        .get(0, Integer.class);
  }

  private static class Listener<R> extends ClientCall.Listener<R> {
    final BlockingQueue<R> answers = new LinkedBlockingQueue<>();
    final CompletableFuture<StatusRuntimeException> closed = new CompletableFuture<>();

    @Override
    public void onMessage(R message) {
      answers.add(message);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      closed.complete(status.asRuntimeException(trailers));
    }

    Told told() throws Exception {
      return Told.of(closed.get(20, TimeUnit.SECONDS));
    }
  }

  /** A stream of which each message is sent and read by hand. */
  private static final class Stream {
    final ClientCall<IngestEventsRequest, IngestEventsResponse> call =
        rapport.channel().newCall(EventServiceGrpc.getIngestEventsMethod(), CallOptions.DEFAULT);
    final Listener<IngestEventsResponse> listener = new Listener<>();

    Stream() {
      call.start(listener, new Metadata());
    }

    void read(int answers) {
      call.request(answers);
    }

    void send(long sequence, List<Event> events) {
      call.sendMessage(
          IngestEventsRequest.newBuilder().setSequence(sequence).addAllEvents(events).build());
    }

    IngestEventsResponse next() throws InterruptedException {
      IngestEventsResponse answer = listener.answers.poll(20, TimeUnit.SECONDS);
      assertThat(answer).as("an answer").isNotNull();
      return Objects.requireNonNull(answer);
    }

    Status end() throws Exception {
      return listener.closed.get(20, TimeUnit.SECONDS).getStatus();
    }

    Told told() throws Exception {
      return listener.told();
    }
  }
}
