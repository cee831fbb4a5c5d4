package io.rapport.client;

import com.google.protobuf.MessageLite;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/** One call of the RPC that records; a writer has one after another. */
final class IngestStream<E extends MessageLite, Q, A> {
  /** What may lie in the transport unsent before the stream counts as not ready. */
  private static final int READY_BYTES = 1 << 20;

  private final IngestQueue<E> queue;
  private final Ingestion<E, Q, A> ingestion;
  private final ClientCall<Q, A> call;
  private volatile @Nullable RapportException end;

  private IngestStream(Channel channel, IngestQueue<E> queue, Ingestion<E, Q, A> ingestion) {
    this.queue = queue;
    this.ingestion = ingestion;
    this.call =
        channel.newCall(ingestion.method(), CallOptions.DEFAULT.withOnReadyThreshold(READY_BYTES));
  }

  static <E extends MessageLite, Q, A> IngestStream<E, Q, A> open(
      Channel channel, IngestQueue<E> queue, Ingestion<E, Q, A> ingestion, int inFlight) {
    IngestStream<E, Q, A> stream = new IngestStream<>(channel, queue, ingestion);
    stream.call.start(stream.new Answers(), new Metadata());
    stream.call.request(inFlight);
    return stream;
  }

  boolean ready() {
    return call.isReady();
  }

  boolean ended() {
    return end != null;
  }

  /** Why it ended. Only when it has. */
  RapportException end() {
    RapportException why = end;
    if (why == null) {
      throw new IllegalStateException("the stream has not ended");
    }
    return why;
  }

  void send(Message<E> message) {
    call.sendMessage(ingestion.request(message));
  }

  void halfClose() {
    call.halfClose();
  }

  void cancel() {
    call.cancel("The writer gave up.", null);
  }

  private final class Answers extends ClientCall.Listener<A> {
    @Override
    public void onReady() {
      queue.wake();
    }

    @Override
    public void onMessage(A answer) {
      try {
        Message<E> message = queue.answered(ingestion.sequence(answer));
        Tally tally = ingestion.tally(message, answer);
        ingestion.tell(message, answer);
        queue.settle(tally);
        call.request(1);
      } catch (RuntimeException fault) {
        queue.fail(fault);
        cancel();
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      end = why(status, trailers);
      queue.wake();
    }
  }

  private static RapportException why(Status status, Metadata trailers) {
    Status ended =
        status.isOk()
            ? Status.UNAVAILABLE.withDescription("The service ended the stream.")
            : status;
    return RapportException.of(ended.asRuntimeException(trailers));
  }
}
