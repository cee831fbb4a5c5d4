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

/**
 * Indexes the events that were recorded before a property was declared, in small transactions. It
 * may be broken off and begun again at any time, also by two servers at once: what is indexed
 * already stays as it is.
 */
final class PropertyIndexer implements AutoCloseable {
  private final TenantDb db;
  private final PropertyStore properties;
  private final ExecutorService worker =
      Executors.newSingleThreadExecutor(Thread.ofVirtual().name("property-indexer").factory());
  private final ConcurrentMap<UUID, Future<?>> running = new ConcurrentHashMap<>();

  PropertyIndexer(TenantDb db, PropertyStore properties) {
    this.db = db;
    this.properties = properties;
  }

  /** Sees to it that the property becomes ready. The future ends when it is. */
  Future<?> index(UUID tenant, DeclaredProperty property) {
    if (property.isReady()) {
      return CompletableFuture.completedFuture(null);
    }
    return running.computeIfAbsent(
        property.id(), id -> worker.submit(() -> indexAll(tenant, property)));
  }

  private void indexAll(UUID tenant, DeclaredProperty property) {
    try {
      Optional<Cursor> cursor = Optional.of(Cursor.START);
      while (cursor.isPresent() && !Thread.currentThread().isInterrupted()) {
        Cursor from = cursor.get();
        cursor = db.write(tenant, tx -> properties.indexNext(tx, tenant, property, from));
      }
      db.write(
          tenant,
          tx -> {
            properties.setReady(tx, tenant, property.id());
            return property;
          });
    } finally {
      running.remove(property.id());
    }
  }

  @Override
  public void close() {
    worker.shutdownNow();
  }
}
