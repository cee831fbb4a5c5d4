package io.rapport.monitoring.prediction;

import io.rapport.platform.CallTrailers;
import io.rapport.platform.Caller;
import io.rapport.platform.Failpoint;
import io.rapport.platform.Failures;
import io.rapport.platform.Positions;
import io.rapport.platform.Reply;
import io.rapport.platform.ServiceException;
import io.rapport.platform.WriterThreads;
import io.rapport.platform.v1.ErrorReason;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets predictions that arrive at the same time share a commit. What arrives while a tenant's are
 * being written becomes the next batch; each caller is told after the commit.
 */
final class PredictionRecorder implements AutoCloseable {
  private static final Logger logger = LoggerFactory.getLogger(PredictionRecorder.class);

  private static final int WRITERS = 4;

  /** Batches of a tenant that are written at a time. */
  private static final int WRITERS_PER_TENANT = 2;

  private static final int MAX_BATCH = 5_000;
  private static final long MAX_BATCH_BYTES = 8L * 1024 * 1024;
  private static final long MAX_WAITING_BYTES = Runtime.getRuntime().maxMemory() / 8;
  private static final long MAX_WAITING_BYTES_PER_TENANT = MAX_WAITING_BYTES / 2;
  private static final int TRIES = 8;
  private static final Duration SOON = Duration.ofMillis(100);

  private final PredictionLog log;
  private final ConcurrentMap<UUID, Lane> lanes = new ConcurrentHashMap<>();
  private final AtomicLong waitingBytes = new AtomicLong();
  private final ExecutorService writers;
  private volatile boolean closed;

  PredictionRecorder(PredictionLog log) {
    this.log = log;
    this.writers = WriterThreads.of("prediction", WRITERS);
  }

  /** Predictions that are decided together, and who waits for the decisions. */
  private record Submission(
      List<IncomingPrediction> predictions,
      long bytes,
      Reply<List<Decision>> reply,
      CallTrailers trailers) {}

  /** Has the predictions logged. Never blocks; the reply gets one decision for each. */
  void submit(
      Caller.Tenant tenant, List<IncomingPrediction> predictions, Reply<List<Decision>> reply) {
    if (predictions.isEmpty()) {
      reply.send(List.of());
      return;
    }
    long bytes = predictions.stream().mapToLong(IncomingPrediction::weight).sum();
    Lane lane = lanes.computeIfAbsent(tenant.id(), id -> new Lane(tenant));
    if (waitingBytes.addAndGet(bytes) > MAX_WAITING_BYTES || lane.isFull() || closed) {
      waitingBytes.addAndGet(-bytes);
      throw ServiceException.unavailable(
          ErrorReason.OVERLOADED, "too many predictions wait to be logged", SOON);
    }
    lane.add(new Submission(predictions, bytes, reply, CallTrailers.current()));
  }

  /** Takes no more; what still waits is told so. */
  @Override
  public void close() {
    closed = true;
    writers.shutdown();
    lanes.values().forEach(lane -> fail(lane.clear(), stopping()));
  }

  private static ServiceException stopping() {
    return ServiceException.unavailable(ErrorReason.OVERLOADED, "the service is stopping", SOON);
  }

  /** What waits to be logged of one tenant, and how many batches of it are being written. */
  private final class Lane {
    private final Caller.Tenant tenant;
    private final Deque<Submission> waiting = new ArrayDeque<>();
    private long bytes;
    private int claims;

    private Lane(Caller.Tenant tenant) {
      this.tenant = tenant;
    }

    synchronized boolean isFull() {
      return bytes > MAX_WAITING_BYTES_PER_TENANT;
    }

    synchronized void add(Submission submission) {
      waiting.add(submission);
      bytes += submission.bytes();
      if (claims < WRITERS_PER_TENANT) {
        claims++;
        writers.execute(this::writeNext);
      }
    }

    /** Writes a batch and queues for the next, behind other tenants. */
    private void writeNext() {
      List<Submission> batch = take();
      if (!batch.isEmpty()) {
        write(tenant, batch);
        again();
      }
    }

    private void again() {
      try {
        writers.execute(this::writeNext);
      } catch (RejectedExecutionException e) {
        fail(clear(), stopping()); // the service is being closed
      }
    }

    /** The next batch; if there is none, nobody writes any more. */
    private synchronized List<Submission> take() {
      List<Submission> batch = new ArrayList<>();
      int predictions = 0;
      long taken = 0;
      while (!waiting.isEmpty() && fits(predictions, taken, waiting.getFirst())) {
        Submission next = waiting.removeFirst();
        predictions += next.predictions().size();
        taken += next.bytes();
        batch.add(next);
      }
      bytes -= taken;
      if (batch.isEmpty()) {
        claims--;
      }
      return batch;
    }

    private static boolean fits(int predictions, long bytes, Submission next) {
      return predictions == 0
          || (predictions + next.predictions().size() <= MAX_BATCH
              && bytes + next.bytes() <= MAX_BATCH_BYTES);
    }

    synchronized List<Submission> clear() {
      List<Submission> left = List.copyOf(waiting);
      waiting.clear();
      bytes = 0;
      return left;
    }
  }

  private void write(Caller.Tenant tenant, List<Submission> batch) {
    List<IncomingPrediction> predictions = new ArrayList<>();
    batch.forEach(submission -> predictions.addAll(submission.predictions()));
    Parts parts = new Parts();
    try {
      record(tenant, predictions, parts);
    } catch (RuntimeException | Error e) {
      boolean surelyNothing = parts.decisions.isEmpty() && !Failures.outcomeUnknown(e);
      fail(batch, surelyNothing ? Failures.of(e) : Failures.unknownOutcome());
      return;
    } finally {
      batch.forEach(submission -> waitingBytes.addAndGet(-submission.bytes()));
    }
    deliver(tenant, batch, parts);
  }

  /** What has been decided of a batch, which may be written in parts. */
  private static final class Parts {
    private final List<Decision> decisions = new ArrayList<>();
    private long position;

    private void add(PredictionLog.Outcome part) {
      decisions.addAll(part.decisions());
      position = Math.max(position, part.position());
    }
  }

  /**
   * If the fault lies in the data of one prediction, the others must not suffer for it: the batch
   * is written in two halves, and so on.
   */
  private void record(Caller.Tenant tenant, List<IncomingPrediction> predictions, Parts parts) {
    try {
      parts.add(recordAgain(tenant, predictions));
    } catch (RuntimeException e) {
      if (!Failures.isOfData(e)) {
        throw e;
      }
      if (predictions.size() == 1) {
        parts.decisions.add(Decision.refused(Failures.of(e)));
        return;
      }
      int middle = predictions.size() / 2;
      record(tenant, predictions.subList(0, middle), parts);
      record(tenant, predictions.subList(middle, predictions.size()), parts);
    }
  }

  /** Tries again if another transaction is in the way. */
  private PredictionLog.Outcome recordAgain(
      Caller.Tenant tenant, List<IncomingPrediction> predictions) {
    for (int tries = 1; ; tries++) {
      try {
        return log.record(tenant, predictions);
      } catch (RuntimeException e) {
        if (tries == TRIES || !Failures.isConflict(e)) {
          throw e;
        }
      }
    }
  }

  private static void deliver(Caller.Tenant tenant, List<Submission> batch, Parts parts) {
    Failpoint.hit("tx.afterCommitBeforeReply");
    int from = 0;
    for (Submission submission : batch) {
      if (parts.position > 0) {
        submission.trailers().position(Positions.encode(tenant, parts.position));
      }
      int to = from + submission.predictions().size();
      List<Decision> own = List.copyOf(parts.decisions.subList(from, to));
      answer(() -> submission.reply().send(own));
      from = to;
    }
  }

  private static void fail(List<Submission> batch, ServiceException told) {
    batch.forEach(submission -> answer(() -> submission.reply().fail(told)));
  }

  /** Whatever an answer meets, such as a caller that is gone, the writer goes on. */
  private static void answer(Runnable answer) {
    try {
      answer.run();
    } catch (RuntimeException | Error e) {
      logger.warn("an answer can't be sent", e);
    }
  }
}
