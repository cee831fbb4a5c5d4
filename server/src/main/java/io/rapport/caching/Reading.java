package io.rapport.caching;

import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.InvalidationCause;
import io.rapport.caching.v1.ReadOptions;
import io.rapport.platform.Caller;
import io.rapport.platform.Positions;
import io.rapport.platform.Times;
import org.jspecify.annotations.Nullable;

/**
 * What a read comes to.
 *
 * @param entry the entry, if there is one, whether or not it may be used
 */
record Reading(EntryInfo.State state, boolean hit, @Nullable Entry entry) {
  static Reading of(@Nullable Entry entry, long nowMicros, ReadOptions options) {
    if (entry == null) {
      return new Reading(EntryInfo.State.ABSENT, false, null);
    }
    EntryInfo.State state = entry.state(nowMicros, options.getContentHash());
    return new Reading(state, entry.isHit(state, options), entry);
  }

  /** The entry as far as it is to be shown. */
  @Nullable Entry shown(ReadOptions options) {
    return hit || options.getIncludeUnusable() ? entry : null;
  }

  /** Why it is invalid; null if it isn't. */
  @Nullable InvalidationCause cause(Caller.Tenant tenant) {
    if (entry == null || state != EntryInfo.State.INVALID) {
      return null;
    }
    return entry.invalid() == null
        ? InvalidationCause.newBuilder().setKind(InvalidationCause.Kind.CONTENT_CHANGED).build()
        : cause(tenant, entry.invalid());
  }

  private static InvalidationCause cause(Caller.Tenant tenant, Entry.Invalid invalid) {
    InvalidationCause.Builder cause =
        InvalidationCause.newBuilder().setKind(invalid.kind()).setReason(invalid.reason());
    var dependency = MarkName.dependency(invalid.dependency());
    if (dependency != null) {
      cause.setDependency(dependency);
    }
    if (invalid.by() != null) {
      cause.setInvalidatedBy(invalid.by());
    }
    if (invalid.atMicros() != 0) {
      cause.setInvalidatedAt(Times.proto(invalid.atMicros()));
    }
    return cause.setPosition(Positions.encode(tenant, invalid.position())).build();
  }
}
