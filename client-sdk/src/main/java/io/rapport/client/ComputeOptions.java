package io.rapport.client;

import io.rapport.caching.v1.Dependency;
import io.rapport.caching.v1.ReadOptions;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How {@code getOrCompute} reads, computes and keeps a value. Start with {@link #defaults()}.
 *
 * @param read what is taken for a hit
 * @param lifetime how long the value is kept from when it is put, by this machine's clock; the
 *     lifetime of its type unless set
 * @param refreshAfter after how long it is stale, at most the lifetime; half of the lifetime unless
 *     set
 * @param dependencies what the computation is going to depend on, as far as it is known; at most 32
 *     with those that the loader names
 * @param leaseTime after how long without a sign of life another caller may compute, 100 ms to 1 h;
 *     30 s unless set. The computation itself may take longer: the client renews its lease.
 * @param maxWait how long to wait for somebody else's computation, 0 to 1 h; 30 s unless set. One's
 *     own takes as long as it takes.
 * @param holder what the service's operators see the computing caller as, at most 100 characters;
 *     empty unless set
 * @param computeWhenUnavailable run the loader also if the service can't be reached, without
 *     keeping the value
 * @param refreshFailures told of refreshes that failed; unless set, they are logged as warnings
 */
public record ComputeOptions(
    ReadOptions read,
    @Nullable Duration lifetime,
    @Nullable Duration refreshAfter,
    List<Dependency> dependencies,
    Duration leaseTime,
    Duration maxWait,
    String holder,
    boolean computeWhenUnavailable,
    @Nullable RefreshListener refreshFailures) {
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Duration HALF_A_MINUTE = Duration.ofSeconds(30);
  private static final ComputeOptions DEFAULTS =
      new ComputeOptions(
          ReadOptions.getDefaultInstance(),
          null,
          null,
          List.of(),
          HALF_A_MINUTE,
          HALF_A_MINUTE,
          "",
          false,
          null);

  /** Checks the ranges; throws IllegalArgumentException. */
  public ComputeOptions {
    dependencies = List.copyOf(dependencies);
    within("leaseTime", leaseTime, Duration.ofMillis(100));
    within("maxWait", maxWait, Duration.ZERO);
    positive("lifetime", lifetime);
    positive("refreshAfter", refreshAfter);
    if (lifetime != null && refreshAfter != null && refreshAfter.compareTo(lifetime) > 0) {
      throw new IllegalArgumentException(
          "refreshAfter must be within the lifetime of %s: %s".formatted(lifetime, refreshAfter));
    }
  }

  /** The defaults named above. */
  public static ComputeOptions defaults() {
    return DEFAULTS;
  }

  /** The same, reading with this consistency; BOUNDED unless set. */
  public ComputeOptions withConsistency(ReadOptions.Consistency consistency) {
    return with(draft -> draft.read.setConsistency(consistency));
  }

  /**
   * The same, computing what was less sure.
   *
   * @param least 0 to 1. A value that is computed is given and kept whatever its confidence.
   */
  public ComputeOptions withMinConfidence(double least) {
    return with(draft -> draft.read.setMinConfidence(least));
  }

  /**
   * The same, computing what was computed from other content. The value is kept with this digest
   * unless the loader sets another.
   *
   * @param digest as the application makes it, at most 255 characters
   */
  public ComputeOptions withContentHash(String digest) {
    return with(draft -> draft.read.setContentHash(digest));
  }

  /** The same, keeping the value for so long. */
  public ComputeOptions withLifetime(Duration time) {
    return with(draft -> draft.lifetime = time);
  }

  /** The same, computing the value again in the background when it is so old. */
  public ComputeOptions withRefreshAfter(Duration time) {
    return with(draft -> draft.refreshAfter = time);
  }

  /** The same, depending on this and nothing else that is known before. */
  public ComputeOptions withDependencies(Dependency... all) {
    return withDependencies(List.of(all));
  }

  /** The same, depending on these and nothing else that is known before. */
  public ComputeOptions withDependencies(Collection<Dependency> all) {
    return with(draft -> draft.dependencies = List.copyOf(all));
  }

  /** The same with a lease that ends after so long without a sign of life. */
  public ComputeOptions withLeaseTime(Duration time) {
    return with(draft -> draft.leaseTime = time);
  }

  /** The same, waiting at most so long for somebody else's computation. */
  public ComputeOptions withMaxWait(Duration time) {
    return with(draft -> draft.maxWait = time);
  }

  /** The same, computing under this name. */
  public ComputeOptions withHolder(String name) {
    return with(draft -> draft.holder = name);
  }

  /** The same, computing also if the service can't be reached, without keeping the value. */
  public ComputeOptions withComputeWhenUnavailable() {
    return with(draft -> draft.computeWhenUnavailable = true);
  }

  /** The same, telling this listener of refreshes that failed, instead of the log. */
  public ComputeOptions withRefreshFailures(RefreshListener listener) {
    return with(draft -> draft.refreshFailures = listener);
  }

  /** Whether what answers the one answers the other. */
  boolean asksAs(ComputeOptions other) {
    return read.equals(other.read) && computeWhenUnavailable == other.computeWhenUnavailable;
  }

  private ComputeOptions with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.options();
  }

  private static void within(String name, Duration time, Duration least) {
    if (time.compareTo(least) < 0 || time.compareTo(HOUR) > 0) {
      throw new IllegalArgumentException(
          "%s must be from %s to %s: %s".formatted(name, least, HOUR, time));
    }
  }

  private static void positive(String name, @Nullable Duration time) {
    if (time != null && (time.isNegative() || time.isZero())) {
      throw new IllegalArgumentException("%s must be longer than 0: %s".formatted(name, time));
    }
  }

  /** Options that are being changed. */
  private static final class Draft {
    final ReadOptions.Builder read;
    @Nullable Duration lifetime;
    @Nullable Duration refreshAfter;
    List<Dependency> dependencies;
    Duration leaseTime;
    Duration maxWait;
    String holder;
    boolean computeWhenUnavailable;
    @Nullable RefreshListener refreshFailures;

    Draft(ComputeOptions from) {
      read = from.read.toBuilder();
      lifetime = from.lifetime;
      refreshAfter = from.refreshAfter;
      dependencies = from.dependencies;
      leaseTime = from.leaseTime;
      maxWait = from.maxWait;
      holder = from.holder;
      computeWhenUnavailable = from.computeWhenUnavailable;
      refreshFailures = from.refreshFailures;
    }

    ComputeOptions options() {
      return new ComputeOptions(
          read.build(),
          lifetime,
          refreshAfter,
          dependencies,
          leaseTime,
          maxWait,
          holder,
          computeWhenUnavailable,
          refreshFailures);
    }
  }
}
