package io.rapport.tracking.event;

import com.google.protobuf.ByteString;
import io.rapport.identity.v1.Identity;
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
 * @param digest of the event as it was sent
 * @param redaction what was taken out of the data; null if nothing was
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
    ByteString digest,
    @Nullable Redaction redaction) {

  /** About how much memory it takes. */
  int weight() {
    return 300 + text.length() + (json == null ? 0 : json.size());
  }
}
