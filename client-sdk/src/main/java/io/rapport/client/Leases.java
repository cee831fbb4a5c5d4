package io.rapport.client;

import io.grpc.Context;
import io.rapport.caching.v1.CacheKey;
import io.rapport.caching.v1.CacheServiceGrpc;
import io.rapport.caching.v1.Lease;
import io.rapport.caching.v1.ReleaseLeaseRequest;
import io.rapport.caching.v1.ReleaseLeaseResponse;
import io.rapport.caching.v1.RenewLeaseRequest;
import io.rapport.platform.v1.ErrorReason;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Keeps leases while their values are computed: one thread renews them all. */
final class Leases implements AutoCloseable {
  /** A computation that takes longer is taken for one that never ends. */
  private static final Duration LONGEST = Duration.ofHours(1);

  private static final int RENEWALS_IN_A_LEASE = 3;

  private final Calls calls;
  private final Rpc<RenewLeaseRequest, Lease> renew;
  private final Rpc<ReleaseLeaseRequest, ReleaseLeaseResponse> release;
  private final ScheduledThreadPoolExecutor clock;

  Leases(Calls calls) {
    this.calls = calls;
    this.renew = calls.rpc(CacheServiceGrpc.getRenewLeaseMethod());
    this.release = calls.rpc(CacheServiceGrpc.getReleaseLeaseMethod());
    this.clock = new ScheduledThreadPoolExecutor(1, DaemonThreads.named("rapport-leases"));
    clock.setRemoveOnCancelPolicy(true);
    clock.setKeepAliveTime(10, TimeUnit.SECONDS);
    clock.allowCoreThreadTimeOut(true);
  }

  /** Renews a lease from now on. */
  Held hold(CacheKey key, Lease lease, Duration time) {
    return new Held(key, lease.getId(), time);
  }

  /** Gives up a lease that this client has, or may have. */
  void release(CacheKey key, String id) {
    ReleaseLeaseRequest request =
        ReleaseLeaseRequest.newBuilder().setKey(key).setLeaseId(id).build();
    send(release, request, failure -> {});
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }

  /** Sends without waiting. A lease that wasn't renewed or released ends by itself. */
  private <Q> void send(Rpc<Q, ?> rpc, Q request, Consumer<RapportException> failed) {
    try {
      calls.send(rpc, request, failed);
    } catch (RuntimeException unsent) {
      failed.accept(RapportException.of(unsent));
    }
  }

  /**
   * A lease that this client has. What the caller's gRPC context says is said with it as well, but
   * it doesn't end with that.
   *
   * <p>Closing it gives it up, unless a put has used it.
   */
  final class Held implements AutoCloseable {
    private final CacheKey key;
    private final String id;
    private final Duration time;
    private final long end = System.nanoTime() + LONGEST.toNanos();
    private final Context context = Context.current().fork();
    private final ScheduledFuture<?> renewals;
    private boolean used;

    private Held(CacheKey key, String id, Duration time) {
      this.key = key;
      this.id = id;
      this.time = time;
      long period = time.toNanos() / RENEWALS_IN_A_LEASE;
      this.renewals = clock.scheduleAtFixedRate(this::renew, period, period, TimeUnit.NANOSECONDS);
    }

    String id() {
      return id;
    }

    /** A put has ended it, or may have. */
    void used() {
      used = true;
    }

    @Override
    public void close() {
      renewals.cancel(false);
      if (!used) {
        context.run(() -> release(key, id));
      }
    }

    private void renew() {
      if (System.nanoTime() - end > 0) {
        renewals.cancel(false);
        return;
      }
      RenewLeaseRequest request =
          RenewLeaseRequest.newBuilder()
              .setKey(key)
              .setLeaseId(id)
              .setLeaseTime(Times.duration(time))
              .build();
      context.run(() -> send(Leases.this.renew, request, this::stopIfLost));
    }

    private void stopIfLost(RapportException failure) {
      if (failure.reason() == ErrorReason.LEASE_LOST) {
        renewals.cancel(false);
      }
    }
  }
}
