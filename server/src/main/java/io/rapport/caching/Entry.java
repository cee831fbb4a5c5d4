package io.rapport.caching;

import com.google.protobuf.ByteString;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.InvalidationCause;
import io.rapport.caching.v1.ReadOptions;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An entry as it was read.
 *
 * @param value the message that the entry is about, in protobuf's binary form
 * @param info complete, with its output
 * @param readPosition the commit that its computation had read
 * @param marks what it depends on
 * @param invalid why it is invalid, if it is
 */
record Entry(
    EntryKey key,
    ByteString value,
    EntryInfo info,
    long readPosition,
    List<UUID> marks,
    @Nullable Invalid invalid,
    long expiresMicros,
    long refreshMicros,
    long revision) {

  /**
   * Why an entry is invalid.
   *
   * @param dependency the name of the mark by which it is; null if it is by itself
   * @param by who invalidated it; null if something changed
   */
  record Invalid(
      @Nullable String dependency,
      String reason,
      @Nullable String by,
      long atMicros,
      long position) {
    InvalidationCause.Kind kind() {
      return by == null
          ? InvalidationCause.Kind.DEPENDENCY_CHANGED
          : InvalidationCause.Kind.INVALIDATED;
    }
  }

  /** What the entry is worth at a time to who expects a content hash, or none. */
  EntryInfo.State state(long nowMicros, String contentHash) {
    if (invalid != null || !hasContent(contentHash)) {
      return EntryInfo.State.INVALID;
    }
    if (nowMicros >= expiresMicros) {
      return EntryInfo.State.EXPIRED;
    }
    return nowMicros >= refreshMicros ? EntryInfo.State.STALE : EntryInfo.State.FRESH;
  }

  boolean hasContent(String contentHash) {
    return contentHash.isEmpty() || contentHash.equals(info.getContentHash());
  }

  /** Whether an entry in this state is what was asked for. */
  boolean isHit(EntryInfo.State state, ReadOptions options) {
    boolean usable =
        state == EntryInfo.State.FRESH
            || (state == EntryInfo.State.STALE && !options.getRefuseStale());
    return usable && info.getConfidence() >= options.getMinConfidence();
  }

  /** Roughly what it takes in memory. */
  int weight() {
    return 512 + value.size() + info.getSerializedSize() + 16 * marks.size();
  }
}
