package io.rapport.tracking.event;

import io.rapport.platform.CallTrailers;
import io.rapport.platform.Caller;
import io.rapport.platform.Reply;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * What waits to be recorded of one tenant. It puts itself in the writers' queue whenever it has
 * work that a further writer may take: at most {@link #WRITERS} batches of a tenant are written at
 * a time, fewer than there are writers, so that one that is held up holds up no other.
 */
final class EventLane {
  private static final int WRITERS = 3;
  private static final int MAX_BATCH_EVENTS = 10_000;
  private static final long MAX_BATCH_BYTES = 8L * 1024 * 1024;

  private final Caller.Tenant tenant;
  private final long maxBytes;
  private final Ready ready;
  private final Deque<Submission> waiting = new ArrayDeque<>();
  private int events;
  private long bytes;
  private int claims;
  private boolean queued;
  private boolean few;

  /** Events that are decided together, and who waits for the decisions. */
  record Submission(
      List<IncomingEvent> events, long bytes, Reply<List<Decision>> reply, CallTrailers trailers) {}

  /** Where writers look for work: for what one statement can record, and for what is more. */
  record Ready(FewEvents few, BlockingQueue<EventLane> many) {
    Ready() {
      this(new FewEvents(), new LinkedBlockingQueue<>());
    }
  }

  /**
   * @param maxBytes how much may wait
   */
  EventLane(Caller.Tenant tenant, long maxBytes, Ready ready) {
    this.tenant = tenant;
    this.maxBytes = maxBytes;
    this.ready = ready;
  }

  Caller.Tenant tenant() {
    return tenant;
  }

  synchronized void add(Submission submission) {
    waiting.add(submission);
    events += submission.events().size();
    bytes += submission.bytes();
    if (queued && few) {
      ready.few().more(submission.events().size());
    }
    queue();
  }

  synchronized boolean isFull() {
    return bytes > maxBytes;
  }

  /** Whether it has become more than few writers take, and waits for others now. */
  synchronized boolean movesToMany() {
    if (!few || EventLogStore.fitsOneStatement(events)) {
      return false;
    }
    ready.few().less(events);
    few = false;
    ready.many().add(this);
    return true;
  }

  /** What is to be written next; {@link #done} must follow. */
  synchronized List<Submission> take() {
    if (few) {
      ready.few().less(events);
    }
    List<Submission> batch = new ArrayList<>();
    int takenEvents = 0;
    long takenBytes = 0;
    while (!waiting.isEmpty() && fits(takenEvents, takenBytes, waiting.getFirst())) {
      Submission next = waiting.removeFirst();
      takenEvents += next.events().size();
      takenBytes += next.bytes();
      batch.add(next);
    }
    events -= takenEvents;
    bytes -= takenBytes;
    queued = false;
    queue();
    return batch;
  }

  /** Says that what was taken is written. */
  synchronized void done() {
    claims--;
    queue();
  }

  /** Takes all, to be written by nobody. */
  synchronized List<Submission> clear() {
    List<Submission> left = List.copyOf(waiting);
    waiting.clear();
    events = 0;
    bytes = 0;
    return left;
  }

  private void queue() {
    if (!queued && !waiting.isEmpty() && claims < WRITERS) {
      queued = true;
      claims++;
      few = EventLogStore.fitsOneStatement(events);
      if (few) {
        ready.few().add(this, events);
      } else {
        ready.many().add(this);
      }
    }
  }

  private static boolean fits(int events, long bytes, Submission next) {
    return events == 0
        || (events + next.events().size() <= MAX_BATCH_EVENTS
            && bytes + next.bytes() <= MAX_BATCH_BYTES);
  }
}
