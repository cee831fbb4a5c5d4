package io.rapport.client;

/**
 * A {@link CacheLoader} threw a checked exception, which is the cause. What it throws unchecked
 * reaches the callers as it is.
 */
public final class LoadFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  LoadFailedException(Exception cause) {
    super("The value could not be computed: " + cause, cause);
  }
}
