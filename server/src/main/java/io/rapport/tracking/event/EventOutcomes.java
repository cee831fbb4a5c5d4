package io.rapport.tracking.event;

import com.google.protobuf.ByteString;
import io.grpc.Status.Code;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Times;
import io.rapport.platform.Uuids;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.tracking.contract.Verdict;
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
    boolean kept = decision.isAccepted() || decision.result() == Result.QUARANTINED;
    if (kept && event.redaction() != null) {
      outcome.setRedaction(event.redaction());
    }
    Verdict verdict = event.verdict();
    boolean judged =
        decision.result() == Result.RECORDED || decision.result() == Result.QUARANTINED;
    if (judged && verdict != null) {
      outcome.addAllViolations(verdict.violations());
      if (verdict.version() != null) {
        outcome.setContractVersion(verdict.version());
      }
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

  /** What keeps a batch from being recorded whole; null if the event doesn't. */
  static @Nullable ServiceException obstacle(IncomingEvent event, Decision decision) {
    Verdict verdict = event.verdict();
    if (decision.result() != Result.QUARANTINED) {
      return error(event, decision);
    }
    return verdict == null
        ? ServiceException.failedPrecondition(
            ErrorReason.CONTRACT_VIOLATED, "the event is in quarantine")
        : verdict.error();
  }

  /** Why the event was not kept; null if it was, now or before. */
  static @Nullable ServiceException error(IncomingEvent event, Decision decision) {
    return switch (decision.result()) {
      case CONFLICT -> conflict(event, decision);
      case REFUSED -> decision.refusal();
      case RECORDED, DUPLICATE, QUARANTINED, RESULT_UNSPECIFIED, UNRECOGNIZED -> null;
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
