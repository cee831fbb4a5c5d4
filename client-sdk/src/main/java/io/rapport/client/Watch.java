package io.rapport.client;

import io.rapport.platform.v1.ErrorReason;
import io.rapport.platform.v1.WatchStart;
import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What changes, batch by batch, without a gap and without repetition: {@link #next} waits for it.
 * For one thread; only {@link #close} may be called by another, and ends the waiting.
 *
 * <p>When the connection or the service is lost, the watch goes on by itself after the last batch
 * that it gave, with growing waits, until nothing got on for {@link WatchOptions#maxOutage}. To go
 * on after the end of the process, store the cursor of the last batch that is dealt with, and begin
 * with {@link WatchOptions#after}.
 *
 * <p>Batches without items are checkpoints: nothing has changed up to their cursor. They come also
 * when nothing else does, so a stored cursor needn't grow old.
 *
 * <p>The service sends no more than is asked for: who is slow holds two batches here and none
 * there.
 */
public final class Watch<T> implements Iterator<WatchBatch<T>>, AutoCloseable {
  private static final long FOREVER = Long.MAX_VALUE;

  /** Opens a connection that begins somewhere. */
  interface Connecting<T> {
    WatchConnection open(WatchStart start, BlockingQueue<WatchConnection.Signal<T>> signals);
  }

  private final Connecting<T> connecting;
  private final Runnable resetBackoff;
  private final Duration maxOutage;
  private final BlockingQueue<WatchConnection.Signal<T>> signals = new LinkedBlockingQueue<>();
  private WatchStart start;
  private volatile @Nullable WatchConnection connection;
  private @Nullable WatchBatch<T> ready;
  private String cursor = "";
  private boolean gotOn;
  private int failures;
  private long failingSince;
  private long connectAt;
  private volatile boolean closed;

  private Watch(Connecting<T> connecting, Runnable resetBackoff, WatchOptions options) {
    this.connecting = connecting;
    this.resetBackoff = resetBackoff;
    this.maxOutage = options.maxOutage();
    this.start = options.start();
  }

  /** Begins to watch; returns when the service has fixed where it begins. */
  static <Q, A, T> Watch<T> open(
      WatchConnection.Opener<Q, A> opener,
      Function<WatchStart, Q> request,
      Function<A, WatchBatch<T>> reading,
      WatchOptions options) {
    Watch<T> watch =
        new Watch<>(
            (start, signals) -> opener.open(request.apply(start), reading, signals),
            opener.resetBackoff(),
            options);
    boolean begun = false;
    try {
      watch.ready = watch.await(FOREVER);
      begun = true;
      return watch;
    } finally {
      if (!begun) {
        watch.close();
      }
    }
  }

  /**
   * Waits until there is something to give.
   *
   * @return false if the watch was closed
   * @throws RapportException as {@link #next} does
   */
  @Override
  public boolean hasNext() {
    if (ready == null) {
      ready = await(FOREVER);
    }
    return ready != null;
  }

  /**
   * The next batch; waits for it.
   *
   * @throws NoSuchElementException if the watch was closed
   * @throws CursorExpiredException if the watch has fallen behind what the service keeps
   * @throws RapportException if it can't go on: the caller may not watch, or the service was not
   *     reached for too long; then it may be asked again
   * @throws CancelledException if the thread was interrupted
   */
  @Override
  public WatchBatch<T> next() {
    if (!hasNext()) {
      throw new NoSuchElementException("the watch was closed");
    }
    return take();
  }

  /** The next batch, if there is one within this time; else empty, and so if it was closed. */
  public Optional<WatchBatch<T>> poll(Duration most) {
    if (ready == null) {
      ready = await(System.nanoTime() + most.toNanos());
    }
    return ready == null ? Optional.empty() : Optional.of(take());
  }

  private WatchBatch<T> take() {
    WatchBatch<T> batch = ready;
    if (batch == null) {
      throw new NoSuchElementException("there is no batch");
    }
    ready = null;
    cursor = batch.cursor();
    return batch;
  }

  /** The cursor of the last batch that was given; empty before the first. */
  public String cursor() {
    return cursor;
  }

  /** Ends the watch. */
  @Override
  public void close() {
    closed = true;
    signals.add(new WatchConnection.Signal<>(null, null, null));
    leave();
  }

  /** The next batch; null if there was none until then, or if the watch was closed. */
  private @Nullable WatchBatch<T> await(long until) {
    try {
      while (!closed) {
        WatchConnection current = connection;
        if (current == null && System.nanoTime() - connectAt >= 0) {
          current = connect();
        }
        long limit = current == null ? Math.min(until, connectAt) : until;
        WatchConnection.Signal<T> signal = poll(limit);
        if (signal != null && signal.from() == connection && !closed) {
          WatchBatch<T> batch = signal.batch();
          if (batch != null) {
            return arrived(batch);
          }
          recover(signal.end());
        } else if (signal == null && until != FOREVER && System.nanoTime() - until >= 0) {
          return null;
        }
      }
    } catch (InterruptedException stop) {
      throw CancelledException.interrupted(stop);
    } finally {
      if (closed) {
        leave();
      }
    }
    return null;
  }

  private WatchConnection.@Nullable Signal<T> poll(long limit) throws InterruptedException {
    return limit == FOREVER
        ? signals.take()
        : signals.poll(Math.max(0, limit - System.nanoTime()), TimeUnit.NANOSECONDS);
  }

  private WatchConnection connect() {
    if (failures > 0) {
      resetBackoff.run();
    }
    WatchConnection opened = connecting.open(start, signals);
    connection = opened;
    return opened;
  }

  private WatchBatch<T> arrived(WatchBatch<T> batch) {
    gotOn = true;
    failures = 0;
    start = WatchStart.newBuilder().setAfter(batch.cursor()).build();
    WatchConnection current = connection;
    if (current != null) {
      current.more();
    }
    return batch;
  }

  /** Goes on after the end of a connection, or gives up. */
  private void recover(@Nullable RapportException why) {
    connection = null;
    if (why == null) {
      return;
    }
    boolean tokenEnded = gotOn && why.reason() == ErrorReason.TOKEN_EXPIRED;
    gotOn = false;
    if (failures++ == 0) {
      failingSince = System.nanoTime();
    }
    long wait = Backoff.STREAMS.next(failures, why).toNanos();
    connectAt = System.nanoTime() + wait;
    boolean tooLong = connectAt - failingSince > maxOutage.toNanos();
    if (tooLong || !(isPassing(why) || tokenEnded)) {
      failures = 0;
      throw why;
    }
  }

  /** Whether the same may succeed a moment later. */
  private static boolean isPassing(RapportException why) {
    return switch (why.code()) {
      case UNAVAILABLE, ABORTED, DEADLINE_EXCEEDED -> true;
      case CANCELLED, INTERNAL, UNKNOWN -> why.rawReason().isEmpty(); // the connection's end
      default -> false;
    };
  }

  private void leave() {
    WatchConnection last = connection;
    if (last != null) {
      connection = null;
      last.cancel();
    }
  }
}
