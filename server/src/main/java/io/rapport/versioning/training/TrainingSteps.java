package io.rapport.versioning.training;

import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.versioning.v1.TrainingEvent.Status;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/** How far a training can go in one step. The database holds the same. */
final class TrainingSteps {
  private static final Map<Status, Set<Status>> STEPS = new EnumMap<>(Status.class);

  static {
    STEPS.put(Status.PENDING, EnumSet.of(Status.IN_PROGRESS, Status.CANCELLED));
    STEPS.put(
        Status.IN_PROGRESS,
        EnumSet.of(Status.PENDING, Status.COMPLETED, Status.FAILED, Status.CANCELLED));
    STEPS.put(Status.COMPLETED, EnumSet.of(Status.DEPLOYED));
  }

  private TrainingSteps() {}

  static boolean isAllowed(Status from, Status to) {
    return STEPS.getOrDefault(from, Set.of()).contains(to);
  }

  static void require(Status from, Status to) {
    if (!isAllowed(from, to)) {
      throw refused(from, to.name(), "a training that is %s can't become %s");
    }
  }

  /** Approval is no step, but only a completed training has something to approve. */
  static void requireApprovable(Status status) {
    if (status != Status.COMPLETED) {
      throw refused(status, "APPROVED", "a training that is %s can't be %s");
    }
  }

  private static ServiceException refused(Status from, String to, String text) {
    return ServiceException.failedPrecondition(ErrorReason.TRAINING_STATE, text.formatted(from, to))
        .with("from", from.name())
        .with("to", to);
  }
}
