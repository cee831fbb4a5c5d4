package io.rapport.platform;

import java.time.Duration;

/**
 * What a handler of a stream sends by, on a thread of its own. Every method that blocks throws what
 * has ended the stream from outside: the caller, its token's time, or the server's end.
 */
public interface Outbox<R> {
  /** Sends a message, as soon as the caller takes more. */
  void send(R message);

  /** Waits until it is woken, or at most so long. */
  void rest(Duration most);

  /** Ends a rest, or the next one; for any thread. */
  void wake();

  /** Throws if the stream has ended. */
  void requireOpen();
}
