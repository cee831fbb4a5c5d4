package io.rapport.client;

import io.rapport.platform.v1.WatchStart;
import java.time.Duration;

/**
 * How a {@link Watch} begins and works. Start with {@link #fromNow()}, {@link #after} or {@link
 * #fromOldestKept()}.
 *
 * @param start where it begins
 * @param initialState send first what is there, then what has changed since; only from now
 * @param checkpointInterval after how long without a message a checkpoint is sent, 0.1 s to 1 h; 10
 *     s unless set
 * @param maxOutage how long to try to reach the service again without getting on; 5 minutes unless
 *     set
 * @param dataAsJson give the data of events as JSON bytes rather than as a Struct
 */
public record WatchOptions(
    WatchStart start,
    boolean initialState,
    Duration checkpointInterval,
    Duration maxOutage,
    boolean dataAsJson) {
  private static final Duration MAX_OUTAGE = Duration.ofMinutes(5);
  private static final Duration CHECKPOINT = Duration.ofSeconds(10);

  /** Checks the ranges; throws IllegalArgumentException. */
  public WatchOptions {
    if (maxOutage.isNegative()) {
      throw new IllegalArgumentException("maxOutage must not be negative: " + maxOutage);
    }
  }

  private static WatchOptions of(WatchStart.Builder start) {
    return new WatchOptions(start.build(), false, CHECKPOINT, MAX_OUTAGE, false);
  }

  /** With what is committed after the watch has begun. */
  public static WatchOptions fromNow() {
    return of(WatchStart.newBuilder().setFromNow(true));
  }

  /** With what comes after a batch whose cursor was stored. */
  public static WatchOptions after(String cursor) {
    return of(WatchStart.newBuilder().setAfter(cursor));
  }

  /** With the oldest change that the service still keeps. */
  public static WatchOptions fromOldestKept() {
    return of(WatchStart.newBuilder().setFromOldestKept(true));
  }

  /** The same with what is there first. */
  public WatchOptions withInitialState() {
    return new WatchOptions(start, true, checkpointInterval, maxOutage, dataAsJson);
  }

  /** The same with a checkpoint after so long without a message. */
  public WatchOptions withCheckpointInterval(Duration time) {
    return new WatchOptions(start, initialState, time, maxOutage, dataAsJson);
  }

  /** The same, giving up after so long without getting on; zero: at the first failure. */
  public WatchOptions withMaxOutage(Duration time) {
    return new WatchOptions(start, initialState, checkpointInterval, time, dataAsJson);
  }

  /** The same with the data of events as JSON bytes. */
  public WatchOptions withDataAsJson() {
    return new WatchOptions(start, initialState, checkpointInterval, maxOutage, true);
  }

  com.google.protobuf.Duration interval() {
    return Times.duration(checkpointInterval);
  }
}
