package io.rapport.client;

import io.grpc.Status;
import io.rapport.platform.v1.ErrorReason;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A value that a caller wants, and how to come by it. */
record Computation<K, V>(
    K key, ComputeOptions options, CacheLoader<K, V> loader, Patience patience) {

  /** What a loader threw, until it is with those who asked. */
  static final class Thrown extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Throwable what;

    private Thrown(Throwable what) {
      super(null, what, false, false);
      this.what = what;
    }

    Throwable what() {
      return what;
    }

    boolean byInterruption() {
      return what instanceof InterruptedException;
    }

    /** What callers see of it: unchecked. */
    Throwable toCallers() {
      if (byInterruption()) {
        Thread.currentThread().interrupt();
      }
      return what instanceof Exception checked && !(checked instanceof RuntimeException)
          ? new LoadFailedException(checked)
          : what;
    }
  }

  /** Runs the loader. */
  <E> E run(CacheFace<K, V, E> face) {
    LoadContext<K> context = new LoadContext<>(key, options);
    long start = System.nanoTime();
    V value = load(context);
    Duration took = Duration.ofNanos(System.nanoTime() - start);
    return face.entry(key, value, context.info(took, Instant.now()));
  }

  private V load(LoadContext<K> context) {
    try {
      return Objects.requireNonNull(loader.load(context), "the loader returned no value");
    } catch (Throwable thrown) {
      throw new Thrown(thrown);
    }
  }

  BusyException busy() {
    return new BusyException(
        ErrorDetails.local(
            Status.Code.DEADLINE_EXCEEDED,
            "Somebody else computes the value, and it was not there within %s."
                .formatted(options.maxWait())));
  }

  AbortedException leaseLost(int times) {
    String message =
        "The lease was lost %d times while the value was computed: it is invalidated too often."
            .formatted(times);
    return new AbortedException(
        new ErrorDetails(
            Status.Code.ABORTED, message, ErrorReason.LEASE_LOST.name(), Map.of(), List.of(), null),
        null);
  }
}
