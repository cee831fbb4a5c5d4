package io.rapport.versioning.training;

import com.google.protobuf.Duration;
import io.grpc.Context;
import io.grpc.Deadline;
import io.rapport.platform.Caller;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Ids;
import io.rapport.platform.Transaction;
import io.rapport.platform.resource.Resource;
import io.rapport.versioning.CallerWrites;
import io.rapport.versioning.Writing;
import io.rapport.versioning.v1.ClaimTrainingRequest;
import io.rapport.versioning.v1.ClaimTrainingResponse;
import io.rapport.versioning.v1.TrainingEvent;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;

/** Gives trainings to workers, who may wait for one without a database connection. */
final class Claims {
  private static final Duration LEASE_TIME = Duration.newBuilder().setSeconds(60).build();

  /** How long before its deadline a call stops to wait, so that the answer arrives. */
  private static final long MARGIN_NANOS = 50_000_000;

  private final CallerWrites work;
  private final DSLContext system;
  private final TrainingWaits waits;
  private final Resource<TrainingEvent> resource;
  private final TrainingStore store = new TrainingStore();

  /** Undoes a claim that found nothing, so that no answer is kept under its request's id. */
  private static final class NothingToClaimException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NothingToClaimException() {
      super(null, null, false, false);
    }
  }

  Claims(
      CallerWrites work, DSLContext system, TrainingWaits waits, Resource<TrainingEvent> resource) {
    this.work = work;
    this.system = system;
    this.waits = waits;
    this.resource = resource;
  }

  ClaimTrainingResponse claim(ClaimTrainingRequest request) {
    UUID tenant = Caller.currentTenant().id();
    long end = System.nanoTime() + waitNanos(request);
    while (true) {
      Optional<ClaimTrainingResponse> claimed = tryClaim(request);
      if (claimed.isPresent()) {
        return claimed.get();
      }
      long left = end - System.nanoTime();
      if (left <= 0
          || !waits.await(tenant, request.getModelTypesList(), left)
          || Context.current().isCancelled()) { // nobody would do what is claimed
        return ClaimTrainingResponse.getDefaultInstance();
      }
    }
  }

  private static long waitNanos(ClaimTrainingRequest request) {
    long asked =
        TimeUnit.SECONDS.toNanos(request.getMaxWait().getSeconds())
            + request.getMaxWait().getNanos();
    Deadline deadline = Context.current().getDeadline();
    return deadline == null
        ? asked
        : Math.min(asked, deadline.timeRemaining(TimeUnit.NANOSECONDS) - MARGIN_NANOS);
  }

  /** A request that was answered before is answered alike, whether or not there is something. */
  private Optional<ClaimTrainingResponse> tryClaim(ClaimTrainingRequest request) {
    if (request.getRequestId().isEmpty() && !isPending(request.getModelTypesList())) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          work.write(request, ClaimTrainingResponse.parser(), tx -> claim(tx, request)));
    } catch (NothingToClaimException e) {
      return Optional.empty();
    }
  }

  private boolean isPending(List<String> types) {
    UUID tenant = Caller.currentTenant().id();
    Map<UUID, Set<String>> pending = store.pending(system, List.of(tenant));
    Set<String> found = pending.getOrDefault(tenant, Set.of());
    return types.isEmpty() ? !found.isEmpty() : types.stream().anyMatch(found::contains);
  }

  private ClaimTrainingResponse claim(Transaction tx, ClaimTrainingRequest request) {
    Writing write = Writing.of(tx);
    Duration time = request.hasLeaseTime() ? request.getLeaseTime() : LEASE_TIME;
    UUID lease = Ids.random();
    TrainingStore.Changed claimed =
        store
            .claim(
                tx.dsl(),
                tx.tenant(),
                request.getModelTypesList(),
                request.getWorker(),
                lease,
                java.time.Duration.ofSeconds(time.getSeconds(), time.getNanos()))
            .orElseThrow(NothingToClaimException::new);
    write.changed(TrainingStore.KIND, Op.UPDATED, claimed.id(), claimed.revision());
    return ClaimTrainingResponse.newBuilder()
        .setTrainingEvent(resource.get(tx, claimed.id()))
        .setLeaseId(lease.toString())
        .setLeaseTime(time)
        .build();
  }
}
