package io.rapport.versioning.training;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Workers that wait until there is something to train. One query at a time asks for all of them,
 * because trainings are asked for at other servers too.
 */
final class TrainingWaits implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(TrainingWaits.class);
  private static final Duration PERIOD = Duration.ofMillis(100);

  private final DSLContext system;
  private final TrainingStore store = new TrainingStore();
  private final Set<Wait> waits = ConcurrentHashMap.newKeySet();
  private final Semaphore bell = new Semaphore(0);
  private final Thread thread;

  /** One worker's wait; without types for any. */
  private static final class Wait {
    final UUID tenant;
    final List<String> types;
    final CountDownLatch end = new CountDownLatch(1);

    Wait(UUID tenant, List<String> types) {
      this.tenant = tenant;
      this.types = types;
    }

    boolean isFor(Collection<String> pending) {
      return types.isEmpty() ? !pending.isEmpty() : types.stream().anyMatch(pending::contains);
    }
  }

  /**
   * @param system the database as the system role sees it
   */
  TrainingWaits(DSLContext system) {
    this.system = system;
    this.thread = Thread.ofPlatform().name("training-waits").daemon().unstarted(this::watch);
  }

  void start() {
    thread.start();
  }

  /** Waits until there may be something to claim; false if the time is over first. */
  boolean await(UUID tenant, List<String> types, long nanos) {
    Wait wait = new Wait(tenant, types);
    waits.add(wait);
    bell.release();
    try {
      return wait.end.await(nanos, TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      waits.remove(wait);
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void watch() {
    try {
      while (true) {
        bell.acquire();
        bell.drainPermits();
        while (!waits.isEmpty()) {
          TimeUnit.MILLISECONDS.sleep(PERIOD.toMillis());
          lookSafely();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void lookSafely() {
    List<UUID> tenants = waits.stream().map(it -> it.tenant).distinct().toList();
    try {
      Map<UUID, Set<String>> pending = store.pending(system, tenants);
      waits.stream()
          .filter(it -> it.isFor(pending.getOrDefault(it.tenant, Set.of())))
          .forEach(it -> it.end.countDown());
    } catch (RuntimeException | Error e) {
      log.debug("trainings can't be looked for: {}", e.toString());
    }
  }
}
