package io.rapport.caching;

import io.rapport.platform.Reply;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.v1.ErrorReason;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets reads that come at the same time share a query: what is asked for while others are being
 * read becomes the next. A query begins after all that it answers was asked for.
 */
final class EntryReader implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EntryReader.class);
  private static final int READERS = 2;
  private static final int MOST_KEYS = 500;
  private static final int MOST_WAITING = 5_000;
  private static final Duration SOON = Duration.ofMillis(100);

  private final TenantDb db;
  private final EntryStore store;
  private final NearCache near;
  private final ConcurrentMap<UUID, Lane> lanes = new ConcurrentHashMap<>();
  private final BlockingQueue<Lane> ready = new LinkedBlockingQueue<>();
  private final List<Thread> readers;
  private volatile boolean closed;

  private record Question(Set<UUID> ids, Reply<EntryStore.Found> reply) {}

  /** What is asked for of one tenant. */
  private static final class Lane {
    private final UUID tenant;
    private final Deque<Question> waiting = new ArrayDeque<>();
    private boolean queued;

    private Lane(UUID tenant) {
      this.tenant = tenant;
    }
  }

  EntryReader(TenantDb db, EntryStore store, NearCache near) {
    this.db = db;
    this.store = store;
    this.near = near;
    this.readers =
        IntStream.rangeClosed(1, READERS)
            .mapToObj(
                i -> Thread.ofPlatform().name("entry-reader-" + i).daemon().start(this::readOn))
            .toList();
  }

  /**
   * Reads entries, and the last commit that this saw; those that aren't there are missing from the
   * answer. Never blocks.
   */
  void read(UUID tenant, Set<UUID> ids, Reply<EntryStore.Found> reply) {
    Lane lane = lanes.computeIfAbsent(tenant, Lane::new);
    synchronized (lane) {
      if (closed || lane.waiting.size() >= MOST_WAITING) {
        throw ServiceException.unavailable(
            ErrorReason.OVERLOADED, "too many reads wait for the database", SOON);
      }
      lane.waiting.add(new Question(ids, reply));
      queue(lane);
    }
  }

  private void queue(Lane lane) {
    if (!lane.queued && !lane.waiting.isEmpty()) {
      lane.queued = true;
      ready.add(lane);
    }
  }

  @Override
  public void close() {
    closed = true;
    readers.forEach(Thread::interrupt);
    for (Lane lane : lanes.values()) {
      take(lane)
          .forEach(question ->
              question
                  .reply()
                  .fail(
                      ServiceException.unavailable(
                          ErrorReason.OVERLOADED, "the service is stopping", SOON)));
    }
  }

  private void readOn() {
    try {
      while (true) {
        Lane lane = ready.take();
        answer(lane.tenant, take(lane));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private List<Question> take(Lane lane) {
    synchronized (lane) {
      List<Question> taken = new ArrayList<>();
      int keys = 0;
      while (!lane.waiting.isEmpty()
          && (keys == 0 || keys + lane.waiting.getFirst().ids().size() <= MOST_KEYS)) {
        keys += lane.waiting.getFirst().ids().size();
        taken.add(lane.waiting.removeFirst());
      }
      lane.queued = false;
      queue(lane);
      return taken;
    }
  }

  /** Whatever is met, the reader goes on: who asked is told. */
  private void answer(UUID tenant, List<Question> questions) {
    Set<UUID> ids = new HashSet<>();
    questions.forEach(question -> ids.addAll(question.ids()));
    EntryStore.Found found;
    try {
      long start = System.nanoTime();
      found = db.autoCommit(tenant, connection -> store.read(connection, tenant, ids));
      near.put(tenant, found.head(), start, found.entries().values());
    } catch (RuntimeException | Error e) {
      questions.forEach(question -> question.reply().fail(e));
      return;
    }
    for (Question question : questions) {
      try {
        question.reply().send(found);
      } catch (RuntimeException | Error e) {
        log.warn("an answer can't be sent", e);
      }
    }
  }
}
