package io.rapport.faults;

import io.grpc.MethodDescriptor;
import io.rapport.caching.v1.CacheKey;
import io.rapport.caching.v1.CacheServiceGrpc;
import io.rapport.caching.v1.Dependency;
import io.rapport.caching.v1.InvalidateEntriesRequest;
import io.rapport.caching.v1.KeyList;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventServiceGrpc;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/** Something whose versions are numbered, and the entry that is computed from it. */
final class CachedSource {
  private final String user;
  private final Dependency tag;
  private final AtomicLong version = new AtomicLong();
  private final VersionHistory history = new VersionHistory();

  CachedSource(String user) {
    this.user = user;
    this.tag = Dependency.newBuilder().setTag("source of " + user).build();
  }

  Predictions.Entry entry() {
    return new Predictions.Entry(Predictions.keyOf(user), List.of(tag));
  }

  VersionHistory history() {
    return history;
  }

  long version() {
    return version.get();
  }

  /** Changes it, and then tells the service so in one of the ways there are. */
  boolean change(Calls calls, Random random) {
    long changed = version.incrementAndGet();
    boolean told =
        switch (random.nextInt(4)) {
          case 0 -> invalidate(calls, InvalidateEntriesRequest.newBuilder().setKeys(keys()));
          case 1 -> invalidate(calls, InvalidateEntriesRequest.newBuilder().setUserId(user));
          case 2 -> invalidate(calls, InvalidateEntriesRequest.newBuilder().setDependency(tag));
          default -> track(calls);
        };
    if (told) {
      history.changed(changed, System.nanoTime());
    }
    return told;
  }

  private KeyList keys() {
    CacheKey key = CacheKey.newBuilder().setPrediction(Predictions.keyOf(user)).build();
    return KeyList.newBuilder().addKeys(key).build();
  }

  private static boolean invalidate(Calls calls, InvalidateEntriesRequest.Builder request) {
    return isDone(calls, CacheServiceGrpc.getInvalidateEntriesMethod(), request.build());
  }

  /** Predictions of what a user will spend depend on these events without saying so. */
  private boolean track(Calls calls) {
    Event event =
        Event.newBuilder()
            .setId(Make.id())
            .setUserId(user)
            .setEventType("transaction_creation")
            .build();
    return isDone(calls, EventServiceGrpc.getTrackEventMethod(), Make.track(event));
  }

  private static <Q, A> boolean isDone(Calls calls, MethodDescriptor<Q, A> method, Q request) {
    return calls.call(method, request).ok();
  }
}
