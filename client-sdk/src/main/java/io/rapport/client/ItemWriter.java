package io.rapport.client;

import com.google.protobuf.MessageLite;
import io.grpc.Status;
import java.util.List;
import java.util.function.Function;

/** What writers of events and of predictions have in common. */
final class ItemWriter<E extends MessageLite> {
  private final IngestQueue<E> queue;
  private volatile boolean failureTold;

  private ItemWriter(IngestQueue<E> queue) {
    this.queue = queue;
  }

  static <E extends MessageLite, Q, A> ItemWriter<E> start(
      EventWriter.Opener opener,
      IngestOptions options,
      Ingestion<E, Q, A> ingestion,
      Function<E, String> ids) {
    IngestQueue<E> queue = new IngestQueue<>(options, ids);
    Thread sender =
        new Thread(new IngestSender<>(opener, options, queue, ingestion), "rapport-ingest");
    sender.setDaemon(true);
    sender.start();
    return new ItemWriter<>(queue);
  }

  /** Takes an item that has its id, and waits while too many are undecided. */
  long write(E identified) {
    int size = Parts.size(identified);
    if (size > Parts.MAX_BYTES) {
      throw new IllegalArgumentException(
          "The item has %,d bytes; the service takes %,d at most."
              .formatted(size, Parts.MAX_BYTES));
    }
    try {
      long position = queue.put(identified, size);
      if (position == IngestQueue.FAILED) {
        throwFailure();
      }
      return position;
    } catch (InterruptedException stop) {
      throw CancelledException.interrupted(stop);
    }
  }

  /** Waits until every item written before is decided and its listener told. */
  void flush() {
    try {
      queue.flush();
    } catch (InterruptedException stop) {
      throw CancelledException.interrupted(stop);
    }
    throwFailure();
  }

  /** Waits until every item is decided and ends the stream. */
  void close() {
    try {
      queue.close();
    } catch (InterruptedException stop) {
      throw CancelledException.interrupted(stop);
    }
    if (!failureTold) {
      throwFailure();
    }
  }

  IngestSummary summary() {
    return queue.summary();
  }

  List<String> undecided() {
    return queue.undecided();
  }

  private void throwFailure() {
    RuntimeException failure = queue.failure();
    if (failure != null) {
      throw told(failure);
    }
  }

  /** A new exception each time, for the stack trace of who asked. */
  private IngestFailedException told(RuntimeException failure) {
    failureTold = true;
    ErrorDetails details =
        failure instanceof RapportException known
            ? known.details()
            : ErrorDetails.local(Status.Code.ABORTED, String.valueOf(failure));
    return new IngestFailedException(details, failure, queue.undecided());
  }
}
