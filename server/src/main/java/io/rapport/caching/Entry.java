package io.rapport.caching;

import com.google.protobuf.Message;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.InvalidationCause;
import io.rapport.caching.v1.ReadOptions;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An entry as it was read.
 *
 * @param message the Prediction or Analysis, complete
 * @param info complete, with its output
 * @param readPosition the commit that its computation had read
 * @param marks what it depends on
 * @param invalid why it is invalid, if it is
 */
record Entry(
    EntryKey key,
    Message message,
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
   * @param dependency the name of the mark by which it is
   * @param by who invalidated it; null if something changed
   */
  record Invalid(
      String dependency, String reason, @Nullable String by, long atMicros, long position) {
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

  /** Roughly what it takes in an answer. */
  int sentBytes() {
    return message.getSerializedSize() + 256;
  }

  /** Roughly what it takes in memory. */
  int weight() {
    return 1024 + 2 * message.getSerializedSize() + 32 * marks.size();
  }
}
