package io.rapport.tracking.event;

import com.google.protobuf.ByteString;
import io.rapport.platform.ServiceException;
import io.rapport.tracking.v1.EventOutcome.Result;
import org.jspecify.annotations.Nullable;

/**
 * What was decided of an event.
 *
 * @param recordedMicros when it, or what is recorded under its id, was recorded; 0 if nothing is
 * @param recordedDigest the digest of what is recorded under its id; empty if nothing is
 * @param refusal why it was refused; null if it wasn't
 */
record Decision(
    Result result,
    long recordedMicros,
    ByteString recordedDigest,
    @Nullable ServiceException refusal) {

  static Decision recorded(IncomingEvent event, long micros) {
    return new Decision(Result.RECORDED, micros, event.digest(), null);
  }

  /** The event's id is taken: by the same event, or by another. */
  static Decision taken(IncomingEvent event, long micros, ByteString recordedDigest) {
    boolean same = event.digest().equals(recordedDigest);
    return new Decision(same ? Result.DUPLICATE : Result.CONFLICT, micros, recordedDigest, null);
  }

  /** Whether the event is recorded, now or before. */
  boolean isAccepted() {
    return result == Result.RECORDED || result == Result.DUPLICATE;
  }

  static Decision refused(ServiceException reason) {
    return new Decision(Result.REFUSED, 0, ByteString.EMPTY, reason);
  }
}
