package io.rapport.tracking.event;

import io.rapport.platform.CallTrailers;
import io.rapport.platform.Caller;
import io.rapport.platform.Failpoint;
import io.rapport.platform.Failures;
import io.rapport.platform.Positions;
import io.rapport.platform.Reply;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.tracking.event.EventLane.Submission;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets events that arrive at the same time share a commit.
 *
 * <p>Each tenant has a lane in which submissions wait while earlier ones are being written. A
 * writer that becomes free takes the lane that has waited longest and writes what waits in it as
 * one batch; if that is little, together with what waits in others. When nobody is writing, an
 * event is written at once, and the busier the database, the larger the batches. Many events have
 * writers of their own, so that few don't wait for them.
 */
final class EventRecorder implements AutoCloseable {
  private static final Logger logger = LoggerFactory.getLogger(EventRecorder.class);

  /** Events that wait are the largest part of the heap. */
  private static final long MAX_WAITING_BYTES = Runtime.getRuntime().maxMemory() / 4;

  /** No tenant may keep the others from recording. */
  private static final long MAX_WAITING_BYTES_PER_TENANT = MAX_WAITING_BYTES / 2;

  private static final int TRIES = 8;

  /** More would make batches smaller, fewer leave the database idle while they wait for commits. */
  private static final int FEW_WRITERS = 4;

  private static final Duration SOON = Duration.ofMillis(100);

  private final EventLog log;
  private final ConcurrentMap<UUID, EventLane> lanes = new ConcurrentHashMap<>();
  private final EventLane.Ready ready = new EventLane.Ready();
  private final AtomicLong waitingBytes = new AtomicLong();
  private final List<Thread> writers = new ArrayList<>();
  private volatile boolean closed;

  /** What a writer took from a lane. */
  private record Share(EventLane lane, List<Submission> submissions, EventBatch batch) {}

  EventRecorder(EventLog log, int writerCount) {
    this.log = log;
    start(FEW_WRITERS, "few-events-writer-", this::writeFew);
    start(writerCount, "event-writer-", this::writeMany);
  }

  /** Something that is done again and again, until it is interrupted. */
  @FunctionalInterface
  private interface Turn {
    void take() throws InterruptedException;
  }

  private void start(int count, String name, Turn turn) {
    for (int i = 1; i <= count; i++) {
      writers.add(Thread.ofPlatform().name(name + i).daemon().start(() -> repeat(turn)));
    }
  }

  private static void repeat(Turn turn) {
    try {
      while (true) {
        takeSafely(turn);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whatever a turn meets, the writer goes on: its callers were told. */
  private static void takeSafely(Turn turn) throws InterruptedException {
    try {
      turn.take();
    } catch (RuntimeException | Error e) {
      logger.error("a writer of events was disturbed", e);
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
    EventLane lane =
        lanes.computeIfAbsent(
            tenant.id(), id -> new EventLane(tenant, MAX_WAITING_BYTES_PER_TENANT, ready));
    if (waitingBytes.addAndGet(bytes) > MAX_WAITING_BYTES || lane.isFull() || closed) {
      waitingBytes.addAndGet(-bytes);
      throw ServiceException.unavailable(
          ErrorReason.OVERLOADED, "too many events wait to be recorded", SOON);
    }
    lane.add(new Submission(events, bytes, reply, CallTrailers.current()));
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

  private void writeFew() throws InterruptedException {
    EventLane first = ready.few().take();
    try {
      if (!first.movesToMany()) {
        write(first);
      }
    } finally {
      ready.few().done();
    }
  }

  private void writeMany() throws InterruptedException {
    write(ready.many().take());
  }

  private void write(EventLane first) {
    List<Share> few = new ArrayList<>();
    List<Share> others = new ArrayList<>();
    take(first, few, others);
    if (!few.isEmpty()) {
      finish(few, () -> writeTogether(few));
    }
    others.forEach(share -> finish(List.of(share), () -> writeAlone(share)));
  }

  /** Takes what waits in a lane and, as long as one statement can record all of it, in others. */
  private void take(EventLane first, List<Share> few, List<Share> others) {
    int events = 0;
    Set<EventLane> taken = new HashSet<>();
    for (EventLane lane = first;
        lane != null;
        lane = others.isEmpty() ? ready.few().poll() : null) {
      if (taken.isEmpty() || !lane.movesToMany()) {
        Share share = take(lane);
        events += share.batch().size();
        boolean joins =
            taken.add(lane) // an id may come again in what a lane has next
                && share.batch().isShareable()
                && EventLogStore.fitsOneStatement(events);
        (joins ? few : others).add(share);
      }
    }
  }

  private Share take(EventLane lane) {
    List<Submission> submissions = lane.take();
    try {
      List<IncomingEvent> events = new ArrayList<>();
      submissions.forEach(submission -> events.addAll(submission.events()));
      return new Share(lane, submissions, log.batch(lane.tenant(), events));
    } catch (RuntimeException | Error e) {
      end(lane, submissions, e);
      throw e;
    }
  }

  private void finish(List<Share> shares, Runnable write) {
    Throwable undecided = null;
    try {
      write.run();
    } catch (RuntimeException | Error e) {
      logger.error("a batch of events is left undecided", e);
      undecided = Failures.unknownOutcome();
    }
    for (Share share : shares) {
      end(share.lane(), share.submissions(), undecided);
    }
  }

  /**
   * Lets the lane and what its submissions took go.
   *
   * @param undecided what those are told that have no answer; null if all have one
   */
  private void end(EventLane lane, List<Submission> submissions, @Nullable Throwable undecided) {
    for (Submission submission : submissions) {
      waitingBytes.addAndGet(-submission.bytes());
      if (undecided != null) {
        answer(() -> submission.reply().fail(undecided));
      }
    }
    lane.done();
  }

  private void writeTogether(List<Share> shares) {
    if (shares.size() == 1) {
      writeAlone(shares.getFirst());
      return;
    }
    try {
      log.recordTogether(shares.stream().map(Share::batch).toList());
    } catch (RuntimeException | Error e) {
      if (Failures.isOfData(e) || Failures.isConflict(e)) {
        shares.forEach(this::writeAlone); // one tenant's fault is none of the others'
      } else {
        shares.forEach(share -> failAll(share, e));
      }
      return;
    }
    shares.forEach(share -> deliver(share, share.batch().position(), share.batch().decisions()));
  }

  private void writeAlone(Share share) {
    EventBatch batch;
    try {
      batch = record(share.lane().tenant(), share.batch());
    } catch (RuntimeException | Error e) {
      recover(share, e);
      return;
    }
    deliver(share, batch.position(), batch.decisions());
  }

  /** Tries again if another transaction is in the way, such as one that makes the same users. */
  private EventBatch record(Caller.Tenant tenant, EventBatch first) {
    EventBatch batch = first;
    for (int tries = 1; ; tries++) {
      try {
        log.record(batch);
        return batch;
      } catch (RuntimeException e) {
        if (tries == TRIES || !Failures.isConflict(e)) {
          throw e;
        }
        batch = log.batch(tenant, first.events()); // it has learnt what is undone
      }
    }
  }

  /**
   * If the fault lies in the data of one event, the others must not suffer for it: the batch is
   * written in two halves, and so on.
   */
  private void recover(Share share, Throwable thrown) {
    if (!Failures.isOfData(thrown)) {
      failAll(share, thrown);
      return;
    }
    Parts parts = new Parts();
    try {
      recordHalves(share.lane().tenant(), share.batch().events(), thrown, parts);
    } catch (RuntimeException | Error e) {
      boolean surelyNothing = parts.decisions.isEmpty() && !Failures.outcomeUnknown(e);
      failAll(share.submissions(), surelyNothing ? Failures.of(e) : Failures.unknownOutcome());
      return;
    }
    deliver(share, parts.position, parts.decisions);
  }

  /** What has been decided of a batch that is written in parts. */
  private static final class Parts {
    private final List<Decision> decisions = new ArrayList<>();
    private long position;

    private void add(EventBatch part) {
      decisions.addAll(part.decisions());
      position = Math.max(position, part.position());
    }
  }

  private void recordHalves(
      Caller.Tenant tenant, List<IncomingEvent> events, Throwable thrown, Parts parts) {
    if (events.size() == 1) {
      parts.decisions.add(Decision.refused(Failures.of(thrown)));
      return;
    }
    int middle = events.size() / 2;
    for (List<IncomingEvent> half :
        List.of(events.subList(0, middle), events.subList(middle, events.size()))) {
      try {
        parts.add(record(tenant, log.batch(tenant, half)));
      } catch (RuntimeException e) {
        if (!Failures.isOfData(e)) {
          throw e;
        }
        recordHalves(tenant, half, e, parts);
      }
    }
  }

  private void failAll(Share share, Throwable thrown) {
    failAll(
        share.submissions(),
        Failures.outcomeUnknown(thrown) ? Failures.unknownOutcome() : Failures.of(thrown));
  }

  private void failAll(List<Submission> submissions, ServiceException told) {
    submissions.forEach(submission -> answer(() -> submission.reply().fail(told)));
  }

  private void deliver(Share share, long position, List<Decision> decisions) {
    Failpoint.hit("tx.afterCommitBeforeReply");
    int from = 0;
    String at = position == 0 ? null : Positions.encode(share.lane().tenant(), position);
    for (Submission submission : share.submissions()) {
      if (at != null) {
        submission.trailers().position(at);
      }
      int to = from + submission.events().size();
      List<Decision> own = decisions.subList(from, to);
      answer(() -> submission.reply().send(own));
      from = to;
    }
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
