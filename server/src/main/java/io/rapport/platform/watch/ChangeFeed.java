package io.rapport.platform.watch;

import io.rapport.platform.CommitListener;
import io.rapport.platform.TenantDb;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the log of the tenants that are watched at this server. One query tells for all of them
 * how far they have got: from time to time, because other servers write too, and soon after commits
 * of this one.
 */
final class ChangeFeed implements CommitListener, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ChangeFeed.class);
  private static final Duration PERIOD = Duration.ofMillis(20);
  private static final Duration UNWATCHED = Duration.ofSeconds(10);

  /** A busy server's commits must not have the heads read for each. */
  private static final Duration PAUSE = Duration.ofMillis(4);

  private static final Duration AFTER_FAILURE = Duration.ofMillis(250);

  private final TenantDb db;
  private final ChangeLogStore store;
  private final ChangeReader reader;
  private final People people;
  private final ConcurrentMap<UUID, TenantFeed> feeds = new ConcurrentHashMap<>();
  private final Semaphore bell = new Semaphore(0);
  private final Thread thread;
  private volatile boolean closed;
  private boolean failing;

  ChangeFeed(TenantDb db, ChangeLogStore store, ChangeReader reader, People people) {
    this.db = db;
    this.store = store;
    this.reader = reader;
    this.people = people;
    this.thread = Thread.ofPlatform().name("change-feed").daemon().unstarted(this::follow);
  }

  void start() {
    thread.start();
  }

  /**
   * Begins to follow a tenant for a watch.
   *
   * @param head a recent head of the tenant
   */
  TenantFeed subscribe(Subscription subscription, long head) {
    TenantFeed feed =
        feeds.compute(
            subscription.tenant,
            (id, known) -> {
              TenantFeed it = known == null ? new TenantFeed(id, people, head) : known;
              it.add(subscription);
              return it;
            });
    ring();
    return feed;
  }

  void unsubscribe(Subscription subscription) {
    feeds.computeIfPresent(
        subscription.tenant,
        (id, feed) -> {
          feed.remove(subscription);
          return feed.isUnwatched() ? null : feed;
        });
  }

  @Override
  public void committed(UUID tenant) {
    if (feeds.containsKey(tenant)) {
      ring();
    }
  }

  private void ring() {
    if (bell.availablePermits() == 0) {
      bell.release();
    }
  }

  private void follow() {
    try {
      while (!closed) {
        Duration most = feeds.isEmpty() ? UNWATCHED : PERIOD;
        if (bell.tryAcquire(most.toNanos(), TimeUnit.NANOSECONDS)) {
          bell.drainPermits();
        }
        boolean done = readAll();
        TimeUnit.NANOSECONDS.sleep((done ? PAUSE : AFTER_FAILURE).toNanos());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether the database could be read; if it can't, the watches wait at where they are. */
  private boolean readAll() {
    List<TenantFeed> watched = List.copyOf(feeds.values());
    if (watched.isEmpty()) {
      return true;
    }
    try {
      List<UUID> tenants = watched.stream().map(TenantFeed::tenant).toList();
      Map<UUID, Long> heads = db.recording(tenants, connection -> store.heads(connection, tenants));
      boolean all = true;
      for (TenantFeed feed : watched) {
        all &= isRead(feed, heads.getOrDefault(feed.tenant(), 0L));
      }
      failing = !all;
      return all;
    } catch (RuntimeException e) {
      fail(e);
      return false;
    }
  }

  /** One tenant's changes that can't be read keep no other's back. */
  private boolean isRead(TenantFeed feed, long head) {
    try {
      read(feed, head);
      return true;
    } catch (RuntimeException e) {
      fail(e);
      return false;
    }
  }

  private void fail(RuntimeException e) {
    if (!failing) {
      log.warn("changes can't be read; watches wait until they can", e);
    }
    failing = true;
  }

  private void read(TenantFeed feed, long head) {
    ChangeReader.Order order = feed.next(head);
    if (order == null) {
      return;
    }
    try {
      ChangeReader.Part part = reader.read(order);
      feed.add(order, part);
      if (part.more()) {
        ring();
      }
    } catch (NoLongerKeptException e) {
      feed.forget(Place.after(head)); // whoever is behind is told so by reading
    }
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }
}
