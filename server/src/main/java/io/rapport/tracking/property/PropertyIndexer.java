package io.rapport.tracking.property;

import io.rapport.platform.TenantDb;
import io.rapport.tracking.property.PropertyStore.Cursor;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Indexes the events that were recorded before a property was declared, in small transactions, the
 * properties in turn. It may be broken off and begun again at any time, also by two servers at
 * once: what is indexed already stays as it is.
 */
final class PropertyIndexer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PropertyIndexer.class);

  private final TenantDb db;
  private final PropertyStore properties;
  private final ExecutorService worker =
      Executors.newSingleThreadExecutor(Thread.ofVirtual().name("property-indexer").factory());
  private final ConcurrentMap<UUID, CompletableFuture<Void>> running = new ConcurrentHashMap<>();

  PropertyIndexer(TenantDb db, PropertyStore properties) {
    this.db = db;
    this.properties = properties;
  }

  /**
   * Sees to it that the property becomes ready. The future ends when it is, or can't be made so.
   */
  Future<Void> index(UUID tenant, DeclaredProperty property) {
    if (property.isReady()) {
      return CompletableFuture.completedFuture(null);
    }
    return running.computeIfAbsent(
        property.id(),
        id -> {
          CompletableFuture<Void> ready = new CompletableFuture<>();
          worker.execute(() -> indexNext(tenant, property, Cursor.START, ready));
          return ready;
        });
  }

  /** Indexes some events, and queues for the next. */
  private void indexNext(
      UUID tenant, DeclaredProperty property, Cursor from, CompletableFuture<Void> ready) {
    try {
      Optional<Cursor> next =
          db.write(tenant, tx -> properties.indexNext(tx, tenant, property, from));
      if (next.isPresent()) {
        worker.execute(() -> indexNext(tenant, property, next.get(), ready));
        return;
      }
      db.write(tenant, tx -> properties.setReady(tx, tenant, property.id()));
      running.remove(property.id());
      ready.complete(null);
    } catch (RuntimeException e) {
      log.warn("a property is not indexed yet; the next use of it begins anew", e);
      running.remove(property.id());
      ready.completeExceptionally(e);
    }
  }

  @Override
  public void close() {
    worker.shutdownNow();
  }
}
