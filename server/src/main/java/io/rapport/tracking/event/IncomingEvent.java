package io.rapport.tracking.event;

import com.google.protobuf.ByteString;
import io.rapport.identity.v1.Identity;
import io.rapport.tracking.contract.Verdict;
import io.rapport.tracking.v1.EventContract.Mode;
import io.rapport.tracking.v1.Redaction;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An event that keeps the rules, ready to be recorded.
 *
 * @param idGiven whether the sender chose the id
 * @param user the user, if the sender named it by id; else {@code identity} is set
 * @param occurredMicros null: when it is recorded
 * @param json the data to keep, as JSON in UTF-8
 * @param searchable whether the text is to be found by search
 * @param digest of the event as it was sent
 * @param redaction what was taken out of the data; null if nothing was
 * @param verdict that it breaks a contract; null if it breaks none
 * @param violations what it breaks, as it is kept; null if nothing is
 */
record IncomingEvent(
    UUID id,
    boolean idGiven,
    @Nullable UUID user,
    @Nullable Identity identity,
    String type,
    @Nullable Long occurredMicros,
    @Nullable Integer offsetMinutes,
    @Nullable Long receivedMicros,
    @Nullable ByteString json,
    String text,
    boolean searchable,
    ByteString digest,
    @Nullable Redaction redaction,
    @Nullable Verdict verdict,
    @Nullable ByteString violations) {

  /** Whether it is to be kept apart from the recorded events. */
  boolean isToQuarantine() {
    return verdict != null && verdict.mode() == Mode.QUARANTINE;
  }

  /** Whether it is not to be kept at all. */
  boolean isRejected() {
    return verdict != null && verdict.mode() == Mode.REJECT;
  }

  /** The version of the contract that it breaks; null if there is none. */
  @Nullable Integer contractVersion() {
    return verdict == null ? null : verdict.version();
  }

  /** The same event under the digest of another, recorded whatever it breaks. */
  IncomingEvent released(ByteString first) {
    return new IncomingEvent(
        id,
        idGiven,
        user,
        identity,
        type,
        occurredMicros,
        offsetMinutes,
        receivedMicros,
        json,
        text,
        searchable,
        first,
        redaction,
        verdict == null ? null : verdict.stamped(),
        violations);
  }

  /** About how much memory it takes. */
  int weight() {
    return 300
        + text.length()
        + (json == null ? 0 : json.size())
        + (violations == null ? 0 : violations.size());
  }
}
