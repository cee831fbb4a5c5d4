package io.rapport.client;

/**
 * Computes the value of a key when the cache doesn't have it.
 *
 * @param <K> the key
 * @param <V> the value
 */
@FunctionalInterface
public interface CacheLoader<K, V> {
  /**
   * Computes the value. It may take as long as it needs, up to an hour, and must end some time:
   * meanwhile others wait for it.
   *
   * @param context the key, and what can be said of the value beside itself
   * @throws Exception if there is no value; nothing is kept then
   */
  V load(LoadContext<K> context) throws Exception;
}
