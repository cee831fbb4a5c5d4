package io.rapport.tracking.contract;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Turns;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The contracts in force, tenant by tenant, as this server has read them; see docs/caching.md.
 *
 * <p>Twice a second it asks which tenants' contracts have changed, in any server. What it holds is
 * used only if it was read, or was asked about, less than {@link #BOUND} ago: so if asking fails,
 * contracts are read anew, and never used past the bound.
 */
public final class Contracts implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Contracts.class);

  /** How long a change may go unnoticed. */
  private static final Duration BOUND = Duration.ofSeconds(2);

  private static final Duration PERIOD = Duration.ofMillis(500);
  private static final int MAX_RULES = 500_000;

  private final TenantDb db;
  private final DSLContext system;
  private final ContractStore store;
  private final Turns loads = new Turns();
  private final ScheduledExecutorService worker =
      Executors.newSingleThreadScheduledExecutor(Thread.ofVirtual().name("contracts").factory());
  private final Cache<UUID, Entry> known =
      Caffeine.newBuilder()
          .maximumWeight(MAX_RULES)
          .weigher((UUID id, Entry it) -> it.weight())
          .build();
  private volatile long askedNanos = System.nanoTime() - BOUND.toNanos();
  private @Nullable Instant askedUpTo;
  private boolean askingFails;

  /**
   * What is known of a tenant.
   *
   * @param revision how often its contracts had changed
   * @param contracts null: only that they have changed since they were read
   */
  private record Entry(long revision, @Nullable TenantContracts contracts, long readNanos) {
    int weight() {
      return contracts == null ? 1 : contracts.weight();
    }

    Entry orNewer(Entry other) {
      boolean newer =
          other.revision > revision || (other.revision == revision && other.contracts != null);
      return newer ? other : this;
    }
  }

  Contracts(TenantDb db, DSLContext system, ContractStore store) {
    this.db = db;
    this.system = system;
    this.store = store;
  }

  /** The contracts in force, if they are at hand; else null. Never blocks. */
  public @Nullable TenantContracts atHand(UUID tenant) {
    Entry entry = known.getIfPresent(tenant);
    if (entry == null || entry.contracts() == null) {
      return null;
    }
    long now = System.nanoTime();
    boolean valid = now - askedNanos < BOUND.toNanos() || now - entry.readNanos() < BOUND.toNanos();
    return valid ? entry.contracts() : null;
  }

  /** The contracts in force, read if need be. */
  public TenantContracts of(UUID tenant) {
    TenantContracts atHand = atHand(tenant);
    return atHand != null
        ? atHand
        : loads.take(
            tenant,
            () -> {
              TenantContracts meanwhile = atHand(tenant);
              return meanwhile == null ? read(tenant) : meanwhile;
            });
  }

  /** Reads the contracts anew, because this server has changed them. */
  void changed(UUID tenant) {
    try {
      read(tenant);
    } catch (RuntimeException e) {
      log.debug("changed contracts can't be read yet", e);
      known.invalidate(tenant); // they are changed all the same, and read when they are needed
    }
  }

  private TenantContracts read(UUID tenant) {
    long began = System.nanoTime();
    ContractStore.InForce found = db.read(tenant, dsl -> store.inForce(dsl, tenant));
    TenantContracts contracts = new TenantContracts(found.contracts(), found.unknownTypes());
    put(tenant, new Entry(found.revision(), contracts, began));
    return contracts;
  }

  private void put(UUID tenant, Entry entry) {
    Objects.requireNonNull(known.asMap().merge(tenant, entry, Entry::orNewer));
  }

  /** Begins to ask what has changed. */
  void start() {
    ScheduledFuture<?> _ =
        worker.scheduleWithFixedDelay(this::ask, 0, PERIOD.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void ask() {
    long began = System.nanoTime();
    try {
      ContractStore.Changes changes = store.changedSince(system, askedUpTo);
      changes.revisions().forEach((tenant, revision) -> put(tenant, new Entry(revision, null, 0)));
      askedUpTo = changes.askedAt();
      askedNanos = began;
      askingFails = false;
    } catch (RuntimeException e) {
      if (!askingFails) {
        log.warn(
            "can't ask for changed contracts; they are read anew every {} s", BOUND.toSeconds(), e);
      }
      askingFails = true;
    }
  }

  @Override
  public void close() {
    worker.shutdownNow();
  }
}
