package io.rapport.platform;

import io.grpc.Status.Code;
import io.rapport.platform.v1.ErrorReason;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The streams that don't end by themselves: how many a tenant may have, and what ends them from
 * outside.
 */
public final class OpenStreams implements AutoCloseable {
  private static final Duration PERIOD = Duration.ofMillis(500);
  private static final Duration SOON = Duration.ofMillis(100);

  private final Clock clock;
  private final int maxPerTenant;
  private final Set<Entry> open = ConcurrentHashMap.newKeySet();
  private final ConcurrentMap<UUID, Integer> counts = new ConcurrentHashMap<>();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(Thread.ofVirtual().name("streams").factory());
  private volatile boolean closed;

  public OpenStreams(Clock clock, int maxPerTenant) {
    this.clock = clock;
    this.maxPerTenant = maxPerTenant;
    ScheduledFuture<?> _ =
        timer.scheduleWithFixedDelay(
            this::endExpired, PERIOD.toMillis(), PERIOD.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** One stream, until it is closed. */
  final class Entry implements AutoCloseable {
    private final Caller caller;
    private final Consumer<ServiceException> ending;

    private Entry(Caller caller, Consumer<ServiceException> ending) {
      this.caller = caller;
      this.ending = ending;
    }

    @Override
    public void close() {
      if (open.remove(this)) {
        counts.computeIfPresent(caller.tenant().id(), (id, n) -> n == 1 ? null : n - 1);
      }
    }
  }

  /**
   * Takes a stream of the caller in.
   *
   * @param ending told when the stream is to end, and why
   */
  Entry open(Caller caller, Consumer<ServiceException> ending) {
    counts.merge(caller.tenant().id(), 1, this::oneMore);
    Entry entry = new Entry(caller, ending);
    open.add(entry);
    if (closed) {
      ending.accept(stopping());
    }
    return entry;
  }

  private int oneMore(int count, int one) {
    if (count >= maxPerTenant) {
      throw ServiceException.of(
              Code.RESOURCE_EXHAUSTED,
              ErrorReason.STREAM_LIMIT,
              "the tenant has "
                  + maxPerTenant
                  + " streams open at this server, and may have no more")
          .with("max_streams", String.valueOf(maxPerTenant));
    }
    return count + one;
  }

  /** How many streams are open. */
  public int size() {
    return open.size();
  }

  /** A token that was good when the stream began may have ended since. */
  private void endExpired() {
    Instant now = clock.instant();
    for (Entry entry : open) {
      if (entry.caller.expiresAt().isBefore(now)) {
        entry.ending.accept(
            Callers.unauthenticated(ErrorReason.TOKEN_EXPIRED, "the token's time is over"));
      }
    }
  }

  private static ServiceException stopping() {
    return ServiceException.unavailable(
        ErrorReason.OVERLOADED, "the service is stopping; resume at another server", SOON);
  }

  /** Ends all streams, and those to come. */
  @Override
  public void close() {
    closed = true;
    timer.shutdownNow();
    open.forEach(entry -> entry.ending.accept(stopping()));
  }
}
