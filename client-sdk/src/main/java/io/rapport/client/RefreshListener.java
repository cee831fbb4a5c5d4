package io.rapport.client;

import io.rapport.caching.v1.CacheKey;

/** Is told of values that could not be computed again in the background. */
@FunctionalInterface
public interface RefreshListener {
  /**
   * Called after a refresh that failed, in the thread in which it ran. The stale value stays, and a
   * later read tries again. What it throws goes to that thread's handler of uncaught exceptions.
   *
   * @param key the key whose value was to be computed
   * @param failure what the loader threw, or the {@link RapportException} by which the value was
   *     not kept
   */
  void failed(CacheKey key, Throwable failure);
}
