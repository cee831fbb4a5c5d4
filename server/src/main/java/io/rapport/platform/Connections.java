package io.rapport.platform;

import io.grpc.Context;
import io.grpc.Deadline;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lends the connections of a pool, of which no tenant's calls can take all. Calls wait for their
 * turn, in order but for those whose tenant has its share. The service's own work doesn't wait
 * here; it is bounded where it begins.
 */
public final class Connections {
  private static final Logger log = LoggerFactory.getLogger(Connections.class);
  private static final int UNBOUNDED = Integer.MAX_VALUE;
  private static final Duration PATIENCE = Duration.ofMillis(500);

  /** Stands for the service's own work. */
  private static final UUID SERVICE = new UUID(0, 0);

  private final DataSource pool;
  private final Shares places;
  private final Set<Waiter> waiting = new LinkedHashSet<>();

  /** A call that waits for its turn. */
  private static final class Waiter {
    private final UUID tenant;
    private final Semaphore turn = new Semaphore(0);

    private Waiter(UUID tenant) {
      this.tenant = tenant;
    }
  }

  /** A connection on loan. */
  record Lease(Connection connection, Runnable end) implements AutoCloseable {
    /** A connection that is lost by now changes nothing of what was done on it. */
    @Override
    public void close() {
      try {
        connection.close();
      } catch (SQLException e) {
        log.debug("a connection can't be given back", e);
      } finally {
        end.run();
      }
    }
  }

  private Connections(DataSource pool, int size) {
    this.pool = pool;
    this.places = new Shares(size);
  }

  /** Those of a pool, for whoever comes. */
  public static Connections of(DataSource pool) {
    return new Connections(pool, UNBOUNDED);
  }

  /** Those of a pool of this size, shared by tenants. */
  public static Connections shared(DataSource pool, int size, MeterRegistry metrics) {
    Connections connections = new Connections(pool, size);
    Gauge.builder("rapport.connections.waiting", connections, Connections::queue)
        .description("Calls that wait for a database connection")
        .register(metrics);
    return connections;
  }

  /** Throws DB_SATURATED if there is none in time. */
  Lease lend(UUID tenant) throws SQLException {
    UUID user = Caller.isKnown() ? tenant : SERVICE;
    if (user.equals(SERVICE)) {
      takePlace(user);
    } else {
      awaitTurn(user);
    }
    boolean lent = false;
    try {
      Lease lease = new Lease(pool.getConnection(), () -> giveBack(user));
      lent = true;
      return lease;
    } finally {
      if (!lent) {
        giveBack(user);
      }
    }
  }

  private synchronized void takePlace(UUID tenant) {
    places.take(tenant);
  }

  private void awaitTurn(UUID tenant) {
    Waiter waiter = new Waiter(tenant);
    synchronized (this) {
      if (places.mayTake(tenant)) {
        places.take(tenant);
        return;
      }
      waiting.add(waiter);
    }
    if (!isReached(waiter)) {
      throw patienceMillis() == 0 ? Failures.deadlinePassed() : Failures.saturated();
    }
  }

  private boolean isReached(Waiter waiter) {
    try {
      if (waiter.turn.tryAcquire(patienceMillis(), TimeUnit.MILLISECONDS)) {
        return true;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    synchronized (this) {
      return !waiting.remove(waiter); // its turn may just have come
    }
  }

  /** Nobody waits for those who have gone. */
  private static long patienceMillis() {
    Deadline deadline = Context.current().getDeadline();
    long patience = PATIENCE.toMillis();
    return deadline == null
        ? patience
        : Math.clamp(deadline.timeRemaining(TimeUnit.MILLISECONDS), 0, patience);
  }

  private synchronized void giveBack(UUID tenant) {
    places.giveBack(tenant);
    Iterator<Waiter> next = waiting.iterator();
    while (next.hasNext() && !places.isFull()) {
      Waiter waiter = next.next();
      if (places.mayTake(waiter.tenant)) {
        places.take(waiter.tenant);
        next.remove();
        waiter.turn.release();
      }
    }
  }

  private synchronized int queue() {
    return waiting.size();
  }
}
