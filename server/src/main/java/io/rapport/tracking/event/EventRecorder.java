package io.rapport.tracking.event;

import io.rapport.platform.Caller;
import io.rapport.platform.Failures;
import io.rapport.platform.Reply;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets events that arrive at the same time share a commit.
 *
 * <p>Each tenant has a lane in which submissions wait while earlier ones are being written. A
 * writer that becomes free takes the lane that has waited longest and writes what waits in it as
 * one batch. No timer is involved: when nobody is writing, an event is written at once, and the
 * busier the database, the larger the batches. At most {@link #PER_TENANT} batches of a tenant are
 * written at a time, so that one tenant's batches grow rather than take all writers.
 */
final class EventRecorder implements AutoCloseable {
  private static final Logger logger = LoggerFactory.getLogger(EventRecorder.class);
  private static final int PER_TENANT = 3;
  private static final int MAX_BATCH_EVENTS = 10_000;

  /** Events that wait are the largest part of the heap. */
  private static final long MAX_WAITING_BYTES = Runtime.getRuntime().maxMemory() / 4;

  /** No tenant may keep the others from recording. */
  private static final long MAX_WAITING_BYTES_PER_TENANT = MAX_WAITING_BYTES / 2;

  private static final long MAX_BATCH_BYTES = 8L * 1024 * 1024;
  private static final Duration SOON = Duration.ofMillis(100);

  private final EventLog log;
  private final ConcurrentMap<UUID, Lane> lanes = new ConcurrentHashMap<>();
  private final BlockingQueue<Lane> ready = new LinkedBlockingQueue<>();
  private final AtomicLong waitingBytes = new AtomicLong();
  private final List<Thread> writers = new ArrayList<>();
  private volatile boolean closed;

  /** Events that are decided together, and who waits for the decisions. */
  private record Submission(List<IncomingEvent> events, long bytes, Reply<List<Decision>> reply) {}

  EventRecorder(EventLog log, int writerCount) {
    this.log = log;
    for (int i = 1; i <= writerCount; i++) {
      writers.add(Thread.ofPlatform().name("event-writer-" + i).daemon().start(this::write));
    }
  }

  /** Has the events recorded. Never blocks; the reply gets one decision for each. */
  void submit(Caller.Tenant tenant, List<IncomingEvent> events, Reply<List<Decision>> reply) {
    if (events.isEmpty()) {
      reply.send(List.of());
      return;
    }
    long bytes = 0;
    for (IncomingEvent event : events) {
      bytes += event.weight();
    }
    Lane lane = lanes.computeIfAbsent(tenant.id(), id -> new Lane(tenant));
    if (waitingBytes.addAndGet(bytes) > MAX_WAITING_BYTES || lane.isFull() || closed) {
      waitingBytes.addAndGet(-bytes);
      throw ServiceException.unavailable(
          ErrorReason.OVERLOADED, "too many events wait to be recorded", SOON);
    }
    lane.add(new Submission(events, bytes, reply));
  }

  /** Stops the writers; what still waits is told so. */
  @Override
  public void close() {
    closed = true;
    writers.forEach(Thread::interrupt);
    lanes.values().forEach(lane -> failAll(lane.clear(), stopping()));
  }

  private static ServiceException stopping() {
    return ServiceException.unavailable(ErrorReason.OVERLOADED, "the service is stopping", SOON);
  }

  private void write() {
    try {
      while (true) {
        Lane lane = ready.take();
        List<Submission> batch = lane.take();
        try {
          writeAll(lane.tenant, batch);
        } catch (RuntimeException | Error e) {
          logger.error("a batch of events is left undecided", e);
        } finally {
          lane.done();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void writeAll(Caller.Tenant tenant, List<Submission> batch) {
    List<IncomingEvent> events = new ArrayList<>();
    batch.forEach(submission -> events.addAll(submission.events()));
    List<Decision> decisions = new ArrayList<>(events.size());
    try {
      decisions.addAll(log.record(tenant, events));
    } catch (RuntimeException | Error e) {
      recover(tenant, batch, events, e);
      return;
    }
    deliver(batch, decisions);
  }

  /**
   * If the fault lies in the data of one event, the others must not suffer for it: the batch is
   * written in two halves, and so on.
   */
  private void recover(
      Caller.Tenant tenant, List<Submission> batch, List<IncomingEvent> events, Throwable thrown) {
    if (!Failures.isOfData(thrown)) {
      failAll(
          batch, Failures.outcomeUnknown(thrown) ? Failures.unknownOutcome() : Failures.of(thrown));
      return;
    }
    List<Decision> decisions = new ArrayList<>();
    try {
      recordHalves(tenant, events, thrown, decisions);
    } catch (RuntimeException | Error e) {
      boolean surelyNothing = decisions.isEmpty() && !Failures.outcomeUnknown(e);
      failAll(batch, surelyNothing ? Failures.of(e) : Failures.unknownOutcome());
      return;
    }
    deliver(batch, decisions);
  }

  private void failAll(List<Submission> batch, ServiceException told) {
    batch.forEach(submission -> finish(submission, () -> submission.reply().fail(told)));
  }

  private void recordHalves(
      Caller.Tenant tenant,
      List<IncomingEvent> events,
      Throwable thrown,
      List<Decision> decisions) {
    if (events.size() == 1) {
      decisions.add(Decision.refused(Failures.of(thrown)));
      return;
    }
    int middle = events.size() / 2;
    for (List<IncomingEvent> half :
        List.of(events.subList(0, middle), events.subList(middle, events.size()))) {
      try {
        decisions.addAll(log.record(tenant, half));
      } catch (RuntimeException e) {
        if (!Failures.isOfData(e)) {
          throw e;
        }
        recordHalves(tenant, half, e, decisions);
      }
    }
  }

  private void deliver(List<Submission> batch, List<Decision> decisions) {
    int from = 0;
    for (Submission submission : batch) {
      int to = from + submission.events().size();
      List<Decision> own = decisions.subList(from, to);
      finish(submission, () -> submission.reply().send(own));
      from = to;
    }
  }

  /** Whatever an answer meets, such as a caller that is gone, the writer goes on. */
  private void finish(Submission submission, Runnable answer) {
    waitingBytes.addAndGet(-submission.bytes());
    try {
      answer.run();
    } catch (RuntimeException | Error e) {
      logger.warn("an answer can't be sent", e);
    }
  }

  /** What waits of one tenant. */
  private final class Lane {
    private final Caller.Tenant tenant;
    private final Deque<Submission> waiting = new ArrayDeque<>();
    private long bytes;
    private int claims;
    private boolean queued;

    private Lane(Caller.Tenant tenant) {
      this.tenant = tenant;
    }

    private synchronized void add(Submission submission) {
      waiting.add(submission);
      bytes += submission.bytes();
      queue();
    }

    private synchronized boolean isFull() {
      return bytes > MAX_WAITING_BYTES_PER_TENANT;
    }

    private synchronized List<Submission> clear() {
      List<Submission> left = List.copyOf(waiting);
      waiting.clear();
      bytes = 0;
      return left;
    }

    /** Puts the lane in the writers' queue if it has work that a further writer may take. */
    private void queue() {
      if (!queued && !waiting.isEmpty() && claims < PER_TENANT) {
        queued = true;
        claims++;
        ready.add(this);
      }
    }

    private synchronized List<Submission> take() {
      List<Submission> batch = new ArrayList<>();
      int events = 0;
      long taken = 0;
      while (!waiting.isEmpty() && fits(events, taken, waiting.getFirst())) {
        Submission next = waiting.removeFirst();
        events += next.events().size();
        taken += next.bytes();
        batch.add(next);
      }
      bytes -= taken;
      queued = false;
      queue();
      return batch;
    }

    private static boolean fits(int events, long bytes, Submission next) {
      return events == 0
          || (events + next.events().size() <= MAX_BATCH_EVENTS
              && bytes + next.bytes() <= MAX_BATCH_BYTES);
    }

    private synchronized void done() {
      claims--;
      queue();
    }
  }
}
