package io.rapport.faults;

import io.grpc.Status;
import io.grpc.Status.Code;
import io.rapport.client.RapportException;
import io.rapport.client.UnknownOutcomeException;
import java.util.EnumSet;
import java.util.Set;

/** What a caller knows of its write when the call is over. */
enum Outcome {
  /** It is done. */
  OK,
  /** It is not done, and never will be. */
  REFUSED,
  /** It may be done or not. */
  UNKNOWN;

  /** How a bare call can end without an answer of the service. */
  private static final Set<Code> CUT_SHORT =
      EnumSet.of(
          Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.CANCELLED, Code.INTERNAL, Code.UNKNOWN);

  /** As the SDK tells it: only one of its exceptions leaves a write open. */
  static Outcome of(RapportException failure) {
    return failure instanceof UnknownOutcomeException ? UNKNOWN : REFUSED;
  }

  /** As the service tells it; what has no reason didn't come from the service. */
  static Outcome of(Status status, String reason) {
    if (status.isOk()) {
      return OK;
    }
    boolean open =
        reason.isEmpty()
            ? CUT_SHORT.contains(status.getCode())
            : reason.equals("COMMIT_OUTCOME_UNKNOWN");
    return open ? UNKNOWN : REFUSED;
  }
}
