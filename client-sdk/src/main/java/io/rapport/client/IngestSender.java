package io.rapport.client;

import com.google.protobuf.MessageLite;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import io.rapport.platform.v1.ErrorReason;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The thread of a writer that sends its messages, on a new stream whenever one breaks. */
final class IngestSender<E extends MessageLite, Q, A> implements Runnable {
  /** An item of this size is within the contract. */
  private static final int SURELY_TAKEN_BYTES = 1 << 16;

  private static final Duration FAREWELL = Duration.ofSeconds(5);

  private final EventWriter.Opener opener;
  private final IngestOptions options;
  private final IngestQueue<E> queue;
  private final Ingestion<E, Q, A> ingestion;
  private @Nullable IngestStream<E, Q, A> stream;

  private long decidedAtFailure = -1;
  private long outageStart;
  private int failures;

  IngestSender(
      EventWriter.Opener opener,
      IngestOptions options,
      IngestQueue<E> queue,
      Ingestion<E, Q, A> ingestion) {
    this.opener = opener;
    this.options = options;
    this.queue = queue;
    this.ingestion = ingestion;
  }

  @Override
  public void run() {
    try {
      while (step()) {}
    } catch (InterruptedException stop) {
      queue.fail(cancelled(stop));
    } catch (RuntimeException fault) {
      queue.fail(fault);
    } catch (Error fault) {
      queue.fail(new IllegalStateException("the writer ended", fault));
      throw fault;
    } finally {
      leave();
      queue.end();
    }
  }

  private boolean step() throws InterruptedException {
    switch (queue.await(stream)) {
      case SEND -> send();
      case RECOVER -> recover();
      case FINISH -> {
        finish();
        return false;
      }
      case STOP -> {
        return false;
      }
    }
    return true;
  }

  private void send() {
    IngestStream<E, Q, A> current = stream;
    if (current == null) {
      current = IngestStream.open(opener.channel(), queue, ingestion, options.inFlight());
      stream = current;
    }
    current.send(queue.take());
  }

  private void finish() throws InterruptedException {
    IngestStream<E, Q, A> last = stream;
    if (last != null) {
      last.halfClose();
      queue.awaitEnd(last, FAREWELL);
    }
  }

  private void leave() {
    IngestStream<E, Q, A> last = stream;
    if (last != null && !last.ended()) {
      last.cancel();
    }
  }

  /** Goes on after the end of a stream, or gives up. */
  private void recover() throws InterruptedException {
    IngestStream<E, Q, A> broken = stream;
    stream = null;
    if (broken == null || !queue.requeue()) {
      return;
    }
    RapportException why = broken.end();
    boolean gotOn = noteFailure();
    if (tooLarge(why)) {
      isolate(why);
    } else if (passing(why) || (gotOn && why.reason() == ErrorReason.TOKEN_EXPIRED)) {
      backOff(why);
    } else {
      queue.fail(why);
    }
  }

  /**
   * Counts failures since the service last decided something; tells whether it had since the last.
   */
  private boolean noteFailure() {
    long decided = queue.decided();
    boolean gotOn = decided != decidedAtFailure;
    if (gotOn) {
      decidedAtFailure = decided;
      outageStart = System.nanoTime();
      failures = 0;
    }
    failures++;
    return gotOn;
  }

  private void backOff(RapportException why) throws InterruptedException {
    if (why.code() == Status.Code.CANCELLED) {
      // A service that is sent a message too large sometimes only cancels the stream.
      queue.sendAlone();
    }
    Duration wait = Backoff.STREAMS.next(failures, why);
    Duration outage = Duration.ofNanos(System.nanoTime() - outageStart).plus(wait);
    if (outage.compareTo(options.maxOutage()) > 0) {
      queue.fail(why);
      return;
    }
    queue.pause(wait);
    opener.resetBackoff().run();
  }

  /** Finds the message that is too large, halves it until one item is left, and refuses that. */
  private void isolate(RapportException why) {
    if (!queue.sendAlone()) {
      return;
    }
    Message<E> culprit = queue.splitFirst();
    if (culprit == null) {
      return;
    }
    if (why.rawReason().isEmpty() && culprit.bytes() <= SURELY_TAKEN_BYTES) {
      queue.fail(why); // Not about its size: something between us and the service sheds load.
    } else {
      refuse(culprit, why);
    }
  }

  private void refuse(Message<E> culprit, RapportException why) {
    Throwable sent = why.getCause();
    com.google.rpc.Status error = sent == null ? null : StatusProto.fromThrowable(sent);
    ingestion.tell(culprit, ingestion.refusal(culprit, error));
    queue.settle(new Tally(0, 0, 0, 1, 0));
  }

  private static boolean tooLarge(RapportException why) {
    return why.code() == Status.Code.RESOURCE_EXHAUSTED && why.reason() != ErrorReason.STORAGE_FULL;
  }

  /**
   * Whether the items may be taken if they are sent again; all have ids, so none can count twice.
   */
  private static boolean passing(RapportException why) {
    return switch (why.code()) {
      case UNAVAILABLE, CANCELLED, ABORTED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED -> true;
      case UNKNOWN -> true;
      case INTERNAL -> why.rawReason().isEmpty();
      default -> false;
    };
  }

  private static CancelledException cancelled(InterruptedException stop) {
    return new CancelledException(
        ErrorDetails.local(Status.Code.CANCELLED, "The writer's thread was interrupted."), stop);
  }
}
