package io.rapport.caching;

import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.TouchEntryRequest;
import io.rapport.caching.v1.TouchEntryResponse;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Etags;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Times;
import io.rapport.platform.Transaction;
import io.rapport.platform.v1.ErrorReason;
import java.time.Clock;
import java.util.List;

/** Makes entries live longer or shorter. */
final class Touches {
  private final EntryStore entries;
  private final Clock clock;

  Touches(EntryStore entries, Clock clock) {
    this.entries = entries;
    this.clock = clock;
  }

  TouchEntryResponse touch(Transaction tx, TouchEntryRequest request) {
    EntryKey key = EntryKey.of(request.getKey());
    if (entries.lock(tx.dsl(), tx.tenant(), List.of(key.id())).isEmpty()) {
      throw ServiceException.notFound("entry");
    }
    Entry entry = entries.find(tx.dsl(), tx.tenant(), key.id()).orElseThrow();
    long now = Times.micros(clock.instant());
    requireUsable(entry.state(now, ""));
    long expires =
        request.hasExpiresAt() ? Times.micros(request.getExpiresAt()) : entry.expiresMicros();
    long refresh =
        request.hasRefreshAfter()
            ? Times.micros(request.getRefreshAfter())
            : Math.min(entry.refreshMicros(), expires);
    requireOrder(now, expires, refresh);
    boolean shorter = expires < entry.expiresMicros() || refresh < entry.refreshMicros();
    boolean same = expires == entry.expiresMicros() && refresh == entry.refreshMicros();
    return same || (shorter && request.getOnlyLonger())
        ? response(entry.info())
        : set(tx, entry, expires, refresh);
  }

  private static void requireUsable(EntryInfo.State state) {
    if (state == EntryInfo.State.EXPIRED || state == EntryInfo.State.INVALID) {
      throw ServiceException.failedPrecondition(
              ErrorReason.ENTRY_UNUSABLE, "the entry is " + state + ", and can only be put anew")
          .with("state", state.name());
    }
  }

  private static void requireOrder(long now, long expires, long refresh) {
    if (expires <= now) {
      throw ServiceException.invalid(
          "expires_at", ErrorReason.INVALID_FIELD, "must be in the future");
    }
    if (refresh > expires) {
      throw ServiceException.invalid(
          "refresh_after", ErrorReason.INVALID_FIELD, "must not be after expires_at");
    }
  }

  private TouchEntryResponse set(Transaction tx, Entry entry, long expires, long refresh) {
    EntryKey key = entry.key();
    long revision =
        entries.setTimes(
            tx.dsl(), tx.tenant(), key.id(), Times.instant(expires), Times.instant(refresh));
    tx.changed(new Change(EntryStore.KIND, Op.UPDATED, key.id(), key.user(), revision));
    return response(
        entry.info().toBuilder()
            .setExpiresAt(Times.proto(expires))
            .setRefreshAfter(Times.proto(refresh))
            .setEtag(Etags.of(revision))
            .build());
  }

  private static TouchEntryResponse response(EntryInfo info) {
    return TouchEntryResponse.newBuilder().setInfo(info).build();
  }
}
