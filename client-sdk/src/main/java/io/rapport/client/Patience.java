package io.rapport.client;

import io.grpc.Context;
import io.grpc.Deadline;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** How long a caller waits, within the deadline of its gRPC context. */
record Patience(Deadline end) {
  static Patience of(Duration most) {
    Deadline own = Deadline.after(most.toNanos(), TimeUnit.NANOSECONDS);
    Deadline callers = Context.current().getDeadline();
    return new Patience(callers == null ? own : own.minimum(callers));
  }

  /** Not negative. */
  Duration left() {
    return Duration.ofNanos(Math.max(0, end.timeRemaining(TimeUnit.NANOSECONDS)));
  }

  /** Waits at most so long, and not beyond the end; false if that is here. */
  boolean pause(Duration most) {
    long nanos = Math.min(most.toNanos(), left().toNanos());
    try {
      TimeUnit.NANOSECONDS.sleep(nanos);
    } catch (InterruptedException stop) {
      throw CancelledException.interrupted(stop);
    }
    return nanos > 0;
  }
}
