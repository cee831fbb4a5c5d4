package io.rapport.tracking.event;

import com.google.protobuf.ByteString;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.tracking.event.EventLogStore.Recorded;
import io.rapport.tracking.event.EventLogStore.State;
import io.rapport.tracking.v1.EventOutcome.Result;
import org.jspecify.annotations.Nullable;

/**
 * What was decided of an event.
 *
 * @param under what is known under its id, now; null if nothing is
 * @param refusal why it was refused; null if it wasn't
 */
record Decision(Result result, @Nullable Recorded under, @Nullable ServiceException refusal) {

  static Decision recorded(IncomingEvent event, long micros) {
    return new Decision(
        Result.RECORDED, new Recorded(micros, event.digest(), State.RECORDED), null);
  }

  static Decision quarantined(IncomingEvent event, long micros) {
    return new Decision(
        Result.QUARANTINED, new Recorded(micros, event.digest(), State.QUARANTINED), null);
  }

  /** The event's id is taken: by the same event, or by another. */
  static Decision taken(IncomingEvent event, @Nullable Recorded under) {
    if (under == null || !event.digest().equals(under.digest())) {
      return new Decision(Result.CONFLICT, under, null);
    }
    return switch (under.state()) {
      case RECORDED, RETIRED -> new Decision(Result.DUPLICATE, under, null);
      case QUARANTINED -> new Decision(Result.QUARANTINED, under, null);
      case DISCARDED -> new Decision(Result.REFUSED, under, discarded(event));
    };
  }

  private static ServiceException discarded(IncomingEvent event) {
    return ServiceException.failedPrecondition(
            ErrorReason.EVENT_DISCARDED, "the event was quarantined and then discarded")
        .with("event_id", event.id().toString());
  }

  static Decision refused(ServiceException reason) {
    return new Decision(Result.REFUSED, null, reason);
  }

  /** Whether the event is recorded, now or before. */
  boolean isAccepted() {
    return result == Result.RECORDED || result == Result.DUPLICATE;
  }

  /** When it, or what is recorded under its id, was recorded; 0 if nothing is. */
  long recordedMicros() {
    if (under == null) {
      return 0;
    }
    return switch (under.state()) {
      case RECORDED, RETIRED -> under.micros();
      case QUARANTINED, DISCARDED -> 0;
    };
  }

  /** The digest of what is known under its id; empty if nothing is. */
  ByteString recordedDigest() {
    return under == null ? ByteString.EMPTY : under.digest();
  }
}
