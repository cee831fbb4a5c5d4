package io.rapport.tracking.property;

import io.rapport.platform.TenantDb;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Indexes the events that were recorded before a property was declared, in small transactions, the
 * properties in turn. What this or another server has left behind, it finds and goes on with.
 */
final class PropertyIndexer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PropertyIndexer.class);
  private static final Duration PERIOD = Duration.ofSeconds(5);

  private final TenantDb db;
  private final DSLContext system;
  private final PropertyStore properties;
  private final ScheduledExecutorService worker =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofVirtual().name("property-indexer").factory());
  private final ConcurrentMap<UUID, CompletableFuture<Void>> running = new ConcurrentHashMap<>();
  private boolean searchFails;

  /**
   * @param system the database as the system role sees it
   */
  PropertyIndexer(TenantDb db, DSLContext system, PropertyStore properties) {
    this.db = db;
    this.system = system;
    this.properties = properties;
  }

  /** Looks for what was left behind, now and from time to time. */
  void start() {
    ScheduledFuture<?> _ =
        worker.scheduleWithFixedDelay(this::resume, 0, PERIOD.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void resume() {
    try {
      for (UUID tenant : properties.tenantsToIndex(system)) {
        for (DeclaredProperty property :
            db.read(tenant, dsl -> properties.listIndexing(dsl, tenant))) {
          Future<Void> _ = index(tenant, property);
        }
      }
      searchFails = false;
    } catch (RuntimeException e) {
      if (!searchFails) {
        log.warn(
            "can't look for properties that are to be indexed; tried every {} s until it succeeds",
            PERIOD.toSeconds(),
            e);
      }
      searchFails = true;
    }
  }

  /**
   * Sees to it that the property becomes ready. The future ends when it is, or when it isn't yet
   * because of a failure.
   */
  Future<Void> index(UUID tenant, DeclaredProperty property) {
    if (property.isReady()) {
      return CompletableFuture.completedFuture(null);
    }
    return running.computeIfAbsent(
        property.id(),
        id -> {
          CompletableFuture<Void> ready = new CompletableFuture<>();
          worker.execute(() -> indexNext(tenant, property, ready));
          return ready;
        });
  }

  /** Indexes some events, and queues for the next. */
  private void indexNext(UUID tenant, DeclaredProperty property, CompletableFuture<Void> ready) {
    try {
      if (db.write(tenant, tx -> properties.indexNext(tx, tenant, property))) {
        running.remove(property.id());
        ready.complete(null);
      } else {
        worker.execute(() -> indexNext(tenant, property, ready));
      }
    } catch (RuntimeException e) {
      log.warn(
          "property {} of tenant {} is not ready yet; indexing goes on in {} s, or in another server",
          property.id(),
          tenant,
          PERIOD.toSeconds(),
          e);
      running.remove(property.id());
      ready.completeExceptionally(e);
    }
  }

  @Override
  public void close() {
    worker.shutdownNow();
  }
}
