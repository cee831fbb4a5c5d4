package io.rapport.caching;

import com.google.protobuf.Duration;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Status.Code;
import io.rapport.caching.LeaseStore.Held;
import io.rapport.caching.v1.Dependency;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.Lease;
import io.rapport.caching.v1.ReadOptions;
import io.rapport.platform.Caller;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Times;
import io.rapport.platform.v1.ErrorReason;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Has each value computed by one caller at a time, in all servers. */
final class Leasing {
  private static final java.time.Duration LEASE_TIME = java.time.Duration.ofSeconds(30);

  /** How long before its deadline a call stops to wait, so that the answer arrives. */
  private static final long MARGIN_NANOS = 50_000_000;

  /** How long a call waits that has no deadline and doesn't say. */
  private static final long MAX_WAIT_NANOS = TimeUnit.MINUTES.toNanos(1);

  private final TenantDb db;
  private final EntryReads reads;
  private final MarkStore marks;
  private final LeaseStore leases;
  private final Waiting waiting;
  private final People people;
  private final Usage usage;
  private final Set<Place> asking = ConcurrentHashMap.newKeySet();

  private record Place(UUID tenant, UUID entry) {}

  /**
   * What is asked for.
   *
   * @param lease the id that a lease is to have
   * @param maxWait how long to wait for others; null: as long as the call has
   */
  record Request(
      EntryKey key,
      ReadOptions options,
      List<Dependency> dependencies,
      java.time.Duration time,
      @Nullable Duration maxWait,
      UUID lease,
      String holder) {}

  /** What came of it. */
  record Answer(Lease.Outcome outcome, Reading reading, @Nullable Held lease) {}

  Leasing(
      TenantDb db,
      EntryReads reads,
      MarkStore marks,
      LeaseStore leases,
      Waiting waiting,
      People people,
      Usage usage) {
    this.db = db;
    this.reads = reads;
    this.marks = marks;
    this.leases = leases;
    this.waiting = waiting;
    this.people = people;
    this.usage = usage;
  }

  /** The time of a lease that asks for so much, or for nothing. */
  static java.time.Duration time(boolean asked, Duration time) {
    return asked ? java.time.Duration.ofSeconds(time.getSeconds(), time.getNanos()) : LEASE_TIME;
  }

  /** The value, or the right to compute it. Waits while another caller does. */
  Answer getOrLease(Caller.Tenant tenant, Request request) {
    Reading near = reads.peek(tenant, request.key(), request.options());
    if (near != null && isAllRight(near)) {
      reads.counted(tenant, request.key(), near);
      return new Answer(Lease.Outcome.HIT, near, null);
    }
    requireUser(tenant.id(), request.key().user());
    long end = System.nanoTime() + waitNanos(request.maxWait());
    while (true) {
      Answer answer = tryLease(tenant, request);
      if (answer.outcome() != Lease.Outcome.BUSY
          || !waiting.awaitEnd(tenant.id(), request.key().id(), end - System.nanoTime())) {
        reads.counted(tenant, request.key(), answer.reading());
        return answer;
      }
    }
  }

  private void requireUser(UUID tenant, UUID user) {
    db.read(
        tenant,
        dsl -> {
          people.require(dsl, tenant, user);
          return user;
        });
  }

  private static long waitNanos(@Nullable Duration asked) {
    Deadline deadline = Context.current().getDeadline();
    long left =
        deadline == null
            ? MAX_WAIT_NANOS
            : deadline.timeRemaining(TimeUnit.NANOSECONDS) - MARGIN_NANOS;
    if (asked == null) {
      return left;
    }
    long most = TimeUnit.SECONDS.toNanos(asked.getSeconds()) + asked.getNanos();
    return deadline == null ? most : Math.min(left, most);
  }

  /** The same without waiting. */
  Answer tryLease(Caller.Tenant tenant, Request request) {
    Reading reading = reads.strong(tenant, request.key(), request.options());
    if (isAllRight(reading)) {
      return new Answer(Lease.Outcome.HIT, reading, null);
    }
    requireCaller();
    Place place = new Place(tenant.id(), request.key().id());
    if (!asking.add(place)) {
      return noLease(reading);
    }
    try {
      return take(tenant, request, reading);
    } finally {
      asking.remove(place);
    }
  }

  private static Answer noLease(Reading reading) {
    return new Answer(reading.hit() ? Lease.Outcome.HIT : Lease.Outcome.BUSY, reading, null);
  }

  /** Of this server's callers one at a time asks for the lease of a key; the others wait. */
  private Answer take(Caller.Tenant tenant, Request request, Reading before) {
    Held lease = null;
    try {
      lease = take(tenant.id(), request).orElse(null);
      if (lease == null) {
        return noLease(before);
      }
      // Whoever had the lease before may have put the value since.
      Reading again = reads.strong(tenant, request.key(), request.options());
      if (!isAllRight(again) && !Context.current().isCancelled()) {
        Held taken = lease;
        lease = null;
        usage.leaseTaken(tenant.id(), request.key());
        return new Answer(
            again.hit() ? Lease.Outcome.REFRESH : Lease.Outcome.COMPUTE, again, taken);
      }
      return new Answer(Lease.Outcome.HIT, again, null);
    } finally {
      if (lease != null) {
        release(tenant.id(), request.key(), lease.id());
      }
    }
  }

  /** A caller that is gone must not keep others from computing. */
  private static void requireCaller() {
    if (Context.current().isCancelled()) {
      throw ServiceException.of(Code.CANCELLED, ErrorReason.CALL_CANCELLED, "the caller gave up");
    }
  }

  private static boolean isAllRight(Reading reading) {
    return reading.hit() && reading.state() == EntryInfo.State.FRESH;
  }

  private Optional<Held> take(UUID tenant, Request request) {
    Set<String> names = new HashSet<>(MarkName.ofKey(request.key()));
    request.dependencies().forEach(dependency -> names.add(MarkName.of(dependency)));
    ensureMarks(tenant, names);
    LeaseStore.Wish wish =
        new LeaseStore.Wish(request.key(), request.lease(), request.holder(), request.time());
    return db.read(tenant, dsl -> leases.take(dsl, tenant, wish));
  }

  /** From the end of this on, commits mark what the computation depends on. */
  private void ensureMarks(UUID tenant, Collection<String> names) {
    if (db.read(tenant, dsl -> marks.find(dsl, tenant, names)).size() < names.size()) {
      db.write(tenant, tx -> marks.make(tx, tenant, names));
    }
  }

  Held renew(UUID tenant, EntryKey key, UUID lease, java.time.Duration time) {
    return db.read(tenant, dsl -> leases.renew(dsl, tenant, key.id(), lease, time))
        .orElseThrow(() -> lost(tenant, key));
  }

  /** Says that a lease is over, and counts it. */
  ServiceException lost(UUID tenant, EntryKey key) {
    usage.leaseLost(tenant, key);
    return ServiceException.of(
        Code.ABORTED,
        ErrorReason.LEASE_LOST,
        "the lease is over: its time has passed, or its entry was put or invalidated meanwhile");
  }

  void release(UUID tenant, EntryKey key, UUID lease) {
    db.read(
        tenant,
        dsl -> {
          leases.release(dsl, tenant, key.id(), lease);
          return lease;
        });
    waiting.ended(tenant, key.id());
  }

  static Lease proto(Held held) {
    return Lease.newBuilder()
        .setId(held.id().toString())
        .setExpiresAt(Times.proto(held.expiresAt()))
        .setToken(held.token())
        .build();
  }
}
