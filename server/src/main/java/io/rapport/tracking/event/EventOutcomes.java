package io.rapport.tracking.event;

import com.google.protobuf.ByteString;
import io.grpc.Status.Code;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Times;
import io.rapport.platform.Uuids;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.EventOutcome.Result;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** Decisions as callers are told them. */
final class EventOutcomes {
  private EventOutcomes() {}

  /** The outcome of an event that was judged. */
  static EventOutcome of(IncomingEvent event, Decision decision, int index) {
    EventOutcome.Builder outcome =
        EventOutcome.newBuilder()
            .setIndex(index)
            .setEventId(event.id().toString())
            .setResult(decision.result());
    if (decision.recordedMicros() != 0) {
      outcome.setRecordedAt(Times.proto(decision.recordedMicros()));
    }
    if (!decision.recordedDigest().isEmpty()) {
      outcome.setDigest(hex(decision.recordedDigest()));
    }
    if (decision.isAccepted() && event.redaction() != null) {
      outcome.setRedaction(event.redaction());
    }
    ServiceException error = error(event, decision);
    return error == null ? outcome.build() : outcome.setError(error.toStatus()).build();
  }

  /** The outcome of an event that breaks a rule. An id that is none is not repeated. */
  static EventOutcome refused(String id, ServiceException reason, int index) {
    return EventOutcome.newBuilder()
        .setIndex(index)
        .setEventId(Uuids.parse(id) == null ? "" : id)
        .setResult(Result.REFUSED)
        .setError(reason.toStatus())
        .build();
  }

  /** Why the event was not recorded; null if it was, now or before. */
  static @Nullable ServiceException error(IncomingEvent event, Decision decision) {
    return switch (decision.result()) {
      case CONFLICT -> conflict(event, decision);
      case REFUSED -> decision.refusal();
      case RECORDED, DUPLICATE, RESULT_UNSPECIFIED, UNRECOGNIZED -> null;
    };
  }

  private static ServiceException conflict(IncomingEvent event, Decision decision) {
    return ServiceException.of(
            Code.ALREADY_EXISTS,
            ErrorReason.EVENT_CONFLICT,
            "another event is recorded under this id")
        .with("event_id", event.id().toString())
        .with("recorded_digest", hex(decision.recordedDigest()))
        .with("sent_digest", hex(event.digest()));
  }

  private static String hex(ByteString digest) {
    return HexFormat.of().formatHex(digest.toByteArray());
  }
}
