package io.rapport.client;

/**
 * Somebody else computes the value, and the time to wait for it is over ({@link
 * ComputeOptions#maxWait}). Ask again later; what is computed will be there.
 */
public final class BusyException extends RapportException {
  private static final long serialVersionUID = 1L;

  BusyException(ErrorDetails details) {
    super(details, null);
  }
}
