package io.rapport.monitoring.prediction;

import com.google.protobuf.ByteString;
import io.rapport.monitoring.v1.OutcomeReport;
import io.rapport.platform.Times;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An outcome that keeps the rules, ready to be recorded.
 *
 * @param details what else is known of it, as JSON
 * @param reason why it differs from what was recorded before; empty if it is the first
 * @param report as it was sent
 */
record IncomingOutcome(
    UUID prediction,
    Kind kind,
    @Nullable Double value,
    @Nullable String label,
    @Nullable Boolean occurred,
    @Nullable ByteString details,
    @Nullable Long observedMicros,
    String reason,
    OutcomeReport report) {

  /** What is compared with the prediction. */
  enum Kind {
    VALUE,
    CLASS,
    EVENT
  }

  @Nullable String detailsText() {
    return details == null ? null : details.toStringUtf8();
  }

  /** When it was seen, as PostgreSQL reads it. */
  @Nullable String observedText() {
    return observedMicros == null ? null : Times.instant(observedMicros).toString();
  }

  /** Whether it says the same, whatever the reason. */
  boolean isSame(IncomingOutcome other) {
    return kind == other.kind
        && Objects.equals(value, other.value)
        && Objects.equals(label, other.label)
        && Objects.equals(occurred, other.occurred)
        && Objects.equals(details, other.details)
        && Objects.equals(observedMicros, other.observedMicros);
  }
}
