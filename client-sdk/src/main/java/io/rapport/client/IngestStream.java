package io.rapport.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.IngestEventsRequest;
import io.rapport.tracking.v1.IngestEventsResponse;
import org.jspecify.annotations.Nullable;

/** One call of IngestEvents; a writer has one after another. */
final class IngestStream {
  /** What may lie in the transport unsent before the stream counts as not ready. */
  private static final int READY_BYTES = 1 << 20;

  private final IngestQueue queue;
  private final IngestOptions options;
  private final ClientCall<IngestEventsRequest, IngestEventsResponse> call;
  private volatile @Nullable RapportException end;

  private IngestStream(Channel channel, IngestQueue queue, IngestOptions options) {
    this.queue = queue;
    this.options = options;
    this.call =
        channel.newCall(
            EventServiceGrpc.getIngestEventsMethod(),
            CallOptions.DEFAULT.withOnReadyThreshold(READY_BYTES));
  }

  static IngestStream open(Channel channel, IngestQueue queue, IngestOptions options) {
    IngestStream stream = new IngestStream(channel, queue, options);
    stream.call.start(stream.new Answers(), new Metadata());
    stream.call.request(options.inFlight());
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

  void send(Message message) {
    call.sendMessage(message.request());
  }

  void halfClose() {
    call.halfClose();
  }

  void cancel() {
    call.cancel("The writer gave up.", null);
  }

  private final class Answers extends ClientCall.Listener<IngestEventsResponse> {
    @Override
    public void onReady() {
      queue.wake();
    }

    @Override
    public void onMessage(IngestEventsResponse answer) {
      try {
        Message message = queue.answered(answer.getSequence());
        Tally tally = Tally.of(message, answer);
        Tally.tell(options, message, answer);
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
