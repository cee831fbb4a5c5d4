package io.rapport.versioning.training;

import io.grpc.Status.Code;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.versioning.Writing;
import io.rapport.versioning.training.TrainingStore.Locked;
import io.rapport.versioning.v1.TrainingEvent.Status;
import java.util.UUID;

/** Trainings that nobody else changes until the transaction ends. */
final class TrainingLocks {
  private final TrainingStore store = new TrainingStore();

  Locked lock(Writing write, String id) {
    return store
        .lock(write.dsl(), write.tenant(), UUID.fromString(id))
        .orElseThrow(() -> ServiceException.notFound("training_event", id));
  }

  /** The training that the caller holds. One that was called off is told from one that is lost. */
  Locked held(Writing write, String id, String lease) {
    Locked training = lock(write, id);
    if (training.status() != Status.CANCELLED) {
      requireLease(training, lease);
    }
    return training;
  }

  private static void requireLease(Locked training, String lease) {
    if (!UUID.fromString(lease).equals(training.lease()) || !training.leaseHolds()) {
      throw ServiceException.of(
              Code.ABORTED,
              ErrorReason.TRAINING_LEASE_LOST,
              "the lease is over: its time has passed, or another worker has the training")
          .with("training_event_id", training.id().toString())
          .with("status", training.status().name());
    }
  }
}
