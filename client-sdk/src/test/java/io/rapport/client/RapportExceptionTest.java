package io.rapport.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.rapport.platform.v1.ErrorReason;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class RapportExceptionTest {
  @Test
  void tellsAllThatTheServiceSaid() {
    RapportException failure =
        RapportException.of(
            Faults.of(Status.Code.INVALID_ARGUMENT, "INVALID_FIELD", Map.of("limit", "10000")));

    assertThat(failure).isInstanceOf(InvalidArgumentException.class);
    assertThat(failure.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(failure.reason()).isEqualTo(ErrorReason.INVALID_FIELD);
    assertThat(failure.metadata()).containsEntry("limit", "10000");
    assertThat(failure.fieldViolations())
        .containsExactly(new FieldViolation("event.text", "too long", "string.max_len"));
    assertThat(failure.retryDelay()).contains(Duration.ofMillis(7));
  }

  @Test
  void namesBothDigestsOfAConflict() {
    RapportException failure =
        RapportException.of(
            Faults.of(
                Status.Code.ALREADY_EXISTS,
                "EVENT_CONFLICT",
                Map.of("recorded_digest", "aa", "sent_digest", "bb")));

    assertThat(failure)
        .isInstanceOfSatisfying(
            EventConflictException.class,
            conflict -> {
              assertThat(conflict.recordedDigest()).isEqualTo("aa");
              assertThat(conflict.sentDigest()).isEqualTo("bb");
            });
  }

  @Test
  void keepsAReasonThatItDoesNotKnow() {
    RapportException failure =
        RapportException.of(Faults.of(Status.Code.FAILED_PRECONDITION, "NEWER_THAN_THIS_SDK"));

    assertThat(failure.reason()).isEqualTo(ErrorReason.UNRECOGNIZED);
    assertThat(failure.rawReason()).isEqualTo("NEWER_THAN_THIS_SDK");
  }

  @Test
  void givesEveryCodeAnException() {
    for (Status.Code code : Status.Code.values()) {
      RapportException failure = RapportException.of(code.toStatus().asRuntimeException());

      assertThat(failure.code()).isEqualTo(code);
      assertThat(failure.reason()).isEqualTo(ErrorReason.ERROR_REASON_UNSPECIFIED);
    }
  }

  @Test
  void leavesTheOutcomeOfACutWriteOpenButNotOfAnAnsweredOne() {
    assertThat(RapportException.ofSentWrite(Status.UNAVAILABLE.asRuntimeException()))
        .isInstanceOf(UnknownOutcomeException.class);
    assertThat(RapportException.ofSentWrite(Faults.of(Status.Code.UNAVAILABLE, "DB_UNAVAILABLE")))
        .isInstanceOf(UnavailableException.class);
    assertThat(RapportException.of(Faults.of(Status.Code.UNKNOWN, "COMMIT_OUTCOME_UNKNOWN")))
        .isInstanceOf(UnknownOutcomeException.class);
  }
}
