package io.rapport.client;

import io.rapport.caching.v1.CacheKey;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.Lease;
import java.time.Duration;

/**
 * What differs between the caches when a value is computed.
 *
 * @param <K> the key
 * @param <V> the value
 * @param <E> the entry: both, and what is known of them
 */
interface CacheFace<K, V, E> {
  /**
   * What the service said to {@link #getOrLease}.
   *
   * @param entry the one that was found, if it is a hit
   * @param lease the lease, if this caller is to compute
   */
  record Leased<E>(Lease.Outcome outcome, E entry, Lease lease) {}

  /** The key as calls for both caches have it. */
  CacheKey anyKey(K key);

  /**
   * Asks for the entry or the right to compute it.
   *
   * @param leaseId UUID that the lease is to have
   * @param maxWait how long to wait for somebody else's computation
   */
  Leased<E> getOrLease(K key, String leaseId, ComputeOptions options, Duration maxWait);

  E entry(K key, V value, EntryInfo info);

  /** Keeps an entry under a lease. */
  E put(E entry, String leaseId);
}
