package io.rapport.caching;

import io.rapport.platform.TenantDb;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes what has been expired for long and, of tenants that keep more than they may, what they
 * haven't used for longest: a little at a time.
 */
final class CacheSweeper implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(CacheSweeper.class);
  private static final Duration PERIOD = Duration.ofMinutes(1);
  private static final Duration PAUSE = Duration.ofMillis(20);

  /** How long expired entries can be read by those who ask for them. */
  private static final Duration KEPT = Duration.ofHours(24);

  private final SweptStore store;
  private final long bytesPerTenant;
  private final Thread thread;

  /**
   * @param system the database as the system role sees it
   * @param bytesPerTenant how much of values a tenant may keep
   */
  CacheSweeper(TenantDb system, long bytesPerTenant) {
    this.store = new SweptStore(system);
    this.bytesPerTenant = bytesPerTenant;
    this.thread = Thread.ofVirtual().name("cache-sweeper").unstarted(this::sweepOn);
  }

  void start() {
    thread.start();
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void sweepOn() {
    try {
      while (true) {
        sweep();
        TimeUnit.MILLISECONDS.sleep(PERIOD.toMillis());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void sweep() throws InterruptedException {
    try {
      while (store.remove(KEPT)) {
        TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
      }
      for (Map.Entry<UUID, Long> full : store.full(bytesPerTenant).entrySet()) {
        evict(full.getKey(), full.getValue());
      }
    } catch (RuntimeException e) {
      log.warn("entries can't be removed; tried again in {} s", PERIOD.toSeconds(), e);
    }
  }

  private void evict(UUID tenant, long tooMany) throws InterruptedException {
    long left = tooMany;
    long evicted = store.evict(tenant, left);
    while (evicted > 0 && evicted < left) {
      left -= evicted;
      TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
      evicted = store.evict(tenant, left);
    }
    log.info("tenant {} kept {} bytes too many; removed what was not used lately", tenant, tooMany);
  }
}
