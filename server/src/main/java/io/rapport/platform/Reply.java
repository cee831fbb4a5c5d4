package io.rapport.platform;

/** Where a handler that doesn't wait leaves its answer: once, from any thread. */
public interface Reply<R> {
  void send(R response);

  void fail(Throwable failure);
}
