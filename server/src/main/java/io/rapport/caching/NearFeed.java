package io.rapport.caching;

import io.rapport.platform.CommitListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells {@link NearCache} what changes, by asking the database: often, because other servers write
 * too, and soon after commits of this one. Where that fails, entries are no longer given, and reads
 * go to the database.
 */
final class NearFeed implements CommitListener, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(NearFeed.class);
  private static final Duration PERIOD = Duration.ofMillis(20);
  private static final Duration PAUSE = Duration.ofMillis(4);
  private static final Duration UNUSED = Duration.ofSeconds(10);
  private static final Duration AFTER_FAILURE = Duration.ofMillis(250);

  private final DSLContext system;
  private final NearCache near;
  private final NearStore store = new NearStore();
  private final Semaphore bell = new Semaphore(0);
  private final Thread thread;
  private boolean failing;

  /**
   * @param system the database as the system role sees it
   */
  NearFeed(DSLContext system, NearCache near) {
    this.system = system;
    this.near = near;
    this.thread = Thread.ofPlatform().name("near-feed").daemon().unstarted(this::follow);
  }

  void start() {
    thread.start();
  }

  @Override
  public void committed(UUID tenant) {
    if (near.tenants().containsKey(tenant) && bell.availablePermits() == 0) {
      bell.release();
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void follow() {
    try {
      while (true) {
        bell.tryAcquire(PERIOD.toMillis(), TimeUnit.MILLISECONDS);
        bell.drainPermits();
        Thread.sleep(lookSafely() ? PAUSE : AFTER_FAILURE);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean lookSafely() {
    try {
      look();
      failing = false;
      return true;
    } catch (RuntimeException | Error e) {
      if (!failing) {
        log.warn("what changes can't be read, so entries come from the database: {}", e.toString());
      }
      failing = true;
      return false;
    }
  }

  private void look() {
    forgetUnused();
    List<UUID> tenants = new ArrayList<>(near.tenants().keySet());
    if (tenants.isEmpty()) {
      return;
    }
    long start = System.nanoTime();
    for (Map.Entry<UUID, Long> head : store.heads(system, tenants).entrySet()) {
      look(head.getKey(), head.getValue(), start);
    }
  }

  private void look(UUID tenant, long head, long start) {
    NearCache.Tenant known = near.tenants().get(tenant);
    if (known == null) {
      return;
    }
    long position = known.position();
    if (head <= position) {
      near.known(tenant, position, start);
      return;
    }
    NearStore.Changes changes = store.changes(system, tenant, position);
    if (changes == null) {
      near.forget(tenant);
    } else {
      near.changed(tenant, head, start, changes);
    }
  }

  private void forgetUnused() {
    near.tenants()
        .forEach((tenant, known) -> {
          if (near.isIdle(known, UNUSED.toNanos())) {
            near.forget(tenant);
          }
        });
  }
}
