package io.rapport.client;

import static io.grpc.Status.Code.CANCELLED;
import static io.grpc.Status.Code.DEADLINE_EXCEEDED;
import static io.rapport.platform.v1.ErrorReason.LEASE_LOST;
import static java.lang.System.Logger.Level.WARNING;

import io.grpc.Context;
import io.rapport.caching.v1.CacheKey;
import io.rapport.caching.v1.Lease;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * Gets values from a cache, or has them computed: by one thread of this client at a time, and under
 * a lease, so that it is one of all clients'.
 */
final class Computations<K, V, E> {
  private static final System.Logger LOG = System.getLogger(RapportClient.class.getName());

  /** How often a lease that was lost is asked for again. */
  private static final int LOST_LEASES = 3;

  private static final int MAX_PAUSE_MILLIS = 100;

  /** What all computations of a client share. */
  record Means(Freshness freshness, Leases leases, Refreshes refreshes) {}

  private final CacheFace<K, V, E> face;
  private final Means means;
  private final ConcurrentMap<K, Flight<E>> flights = new ConcurrentHashMap<>();

  Computations(CacheFace<K, V, E> face, Means means) {
    this.face = face;
    this.means = means;
  }

  E get(K key, ComputeOptions options, CacheLoader<K, V> loader) {
    Moment begun = Moment.now(means.freshness());
    Computation<K, V> wanted =
        new Computation<>(key, options, loader, Patience.of(options.maxWait()));
    while (true) {
      Flight<E> mine = new Flight<>(options, begun);
      Flight<E> others = flights.putIfAbsent(key, mine);
      if (others == null) {
        return lead(wanted, mine);
      }
      Optional<E> result = follow(wanted, others, begun);
      if (result.isPresent()) {
        return result.get();
      }
    }
  }

  private Optional<E> follow(Computation<K, V> wanted, Flight<E> flight, Moment begun) {
    if (flight.isLedByCaller()) {
      throw new IllegalStateException("the loader asks for the key that it computes");
    }
    if (!flight.await(wanted.patience().left()) && !flight.isSoonKnown()) {
      throw wanted.busy();
    }
    return flight.resultFor(wanted.options(), begun);
  }

  private E lead(Computation<K, V> wanted, Flight<E> flight) {
    try {
      E entry = obtain(wanted, flight);
      flight.landed(entry);
      return entry;
    } catch (Computation.Thrown thrown) {
      Throwable failure = thrown.toCallers();
      if (!thrown.byInterruption()) {
        flight.failed(failure);
      }
      throw Flight.raised(failure);
    } catch (RuntimeException | Error failure) {
      if (!isOfThisCallerAlone(failure)) {
        flight.failed(failure);
      }
      throw failure;
    } finally {
      flights.remove(wanted.key(), flight);
      flight.end();
    }
  }

  /** Whether another caller might fare better with the same call: this one's time was over. */
  private static boolean isOfThisCallerAlone(Throwable failure) {
    return failure instanceof RapportException call
        && (call.code() == DEADLINE_EXCEEDED || call.code() == CANCELLED);
  }

  private E obtain(Computation<K, V> wanted, Flight<E> flight) {
    try {
      return hitOrComputed(wanted, flight);
    } catch (RapportException failure) {
      if (!doesWithoutService(wanted, failure)) {
        throw failure;
      }
      flight.reads(Moment.now(means.freshness()));
      return wanted.run(face);
    }
  }

  private E hitOrComputed(Computation<K, V> wanted, Flight<E> flight) {
    for (int lost = 0; lost <= LOST_LEASES; lost++) {
      CacheFace.Leased<E> leased = ask(wanted, flight);
      switch (leased.outcome()) {
        case HIT -> {
          return leased.entry();
        }
        case REFRESH -> {
          refresh(wanted, hold(wanted, leased.lease()));
          return leased.entry();
        }
        case COMPUTE -> {
          flight.computes();
          Optional<E> computed = compute(wanted, hold(wanted, leased.lease()));
          if (computed.isPresent()) {
            return computed.get();
          }
        }
        case BUSY, OUTCOME_UNSPECIFIED, UNRECOGNIZED ->
            throw new IllegalStateException("not an outcome of this SDK: " + leased.outcome());
      }
    }
    throw wanted.leaseLost(LOST_LEASES + 1);
  }

  /** Asks until there is a hit or a lease. */
  private CacheFace.Leased<E> ask(Computation<K, V> wanted, Flight<E> flight) {
    while (true) {
      flight.reads(Moment.now(means.freshness()));
      CacheFace.Leased<E> leased = askOnce(wanted);
      if (leased.outcome() != Lease.Outcome.BUSY) {
        return leased;
      }
      int pause = ThreadLocalRandom.current().nextInt(MAX_PAUSE_MILLIS) + 1;
      if (!wanted.patience().pause(Duration.ofMillis(pause))) {
        throw wanted.busy();
      }
    }
  }

  private CacheFace.Leased<E> askOnce(Computation<K, V> wanted) {
    String leaseId = UUID.randomUUID().toString();
    try {
      return face.getOrLease(wanted.key(), leaseId, wanted.options(), wanted.patience().left());
    } catch (UnknownOutcomeException failure) {
      Context.current().fork().run(() -> giveUp(wanted, leaseId));
      throw failure;
    }
  }

  private void giveUp(Computation<K, V> wanted, String leaseId) {
    means.leases().release(face.anyKey(wanted.key()), leaseId);
  }

  private Leases.Held hold(Computation<K, V> wanted, Lease lease) {
    return means.leases().hold(face.anyKey(wanted.key()), lease, wanted.options().leaseTime());
  }

  /** Computes and keeps the value; empty if the lease was lost. */
  private Optional<E> compute(Computation<K, V> wanted, Leases.Held held) {
    try (held) {
      E computed = wanted.run(face);
      return keep(wanted, computed, held);
    }
  }

  private Optional<E> keep(Computation<K, V> wanted, E computed, Leases.Held held) {
    try {
      E kept = face.put(computed, held.id());
      held.used();
      return Optional.of(kept);
    } catch (RapportException failure) {
      boolean lost = isLeaseLost(failure);
      if (lost || failure instanceof UnknownOutcomeException) {
        held.used();
      }
      if (lost) {
        return Optional.empty();
      }
      if (doesWithoutService(wanted, failure)) {
        return Optional.of(computed);
      }
      throw failure;
    }
  }

  /** Also if that was the answer to a second try, after one of which nothing is known. */
  private static boolean isLeaseLost(RapportException failure) {
    return Stream.concat(Stream.of(failure), Arrays.stream(failure.getSuppressed()))
        .anyMatch(it -> it instanceof RapportException call && call.reason() == LEASE_LOST);
  }

  private static boolean doesWithoutService(Computation<?, ?> wanted, RapportException failure) {
    boolean away =
        failure instanceof UnavailableException
            || failure instanceof DeadlineExceededException
            || failure instanceof UnknownOutcomeException;
    return away && failure.code() != CANCELLED && wanted.options().computeWhenUnavailable();
  }

  private void refresh(Computation<K, V> wanted, Leases.Held lease) {
    Runnable work = Context.current().fork().wrap(() -> refreshed(wanted, lease));
    if (!means.refreshes().start(work)) {
      lease.close();
    }
  }

  /** Who lost the lease has nothing to do: another one computes. */
  private void refreshed(Computation<K, V> wanted, Leases.Held lease) {
    try {
      compute(wanted, lease);
    } catch (Computation.Thrown thrown) {
      tell(wanted, thrown.what());
    } catch (RuntimeException failure) {
      tell(wanted, failure);
    }
  }

  private void tell(Computation<K, V> wanted, Throwable failure) {
    RefreshListener listener = wanted.options().refreshFailures();
    CacheKey key = face.anyKey(wanted.key());
    if (listener == null) {
      LOG.log(WARNING, () -> "could not refresh a cached value: " + key, failure);
    } else {
      listener.failed(key, failure);
    }
  }
}
