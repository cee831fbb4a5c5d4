package io.rapport.tracking.event;

import com.google.rpc.BadRequest.FieldViolation;
import io.rapport.platform.Caller;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.tracking.contract.TenantContracts;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.EventOutcome.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The events of one message: those that keep the rules, and why the others don't. The message
 * itself is let go.
 */
final class IncomingBatch {
  private static final int MAX_VIOLATIONS = 100;

  private final List<IncomingEvent> readable = new ArrayList<>();
  private final @Nullable Refusal[] refusals;

  /** Why the event with this id, as it was sent, can't be read. */
  private record Refusal(String id, ServiceException reason) {}

  private IncomingBatch(int size) {
    this.refusals = new Refusal[size];
  }

  static IncomingBatch read(Caller.Tenant tenant, TenantContracts contracts, List<Event> sent) {
    IncomingBatch batch = new IncomingBatch(sent.size());
    EventReader reader = new EventReader(tenant, contracts);
    for (int i = 0; i < sent.size(); i++) {
      try {
        batch.readable.add(reader.read(sent.get(i)));
      } catch (ServiceException e) {
        batch.refusals[i] = new Refusal(sent.get(i).getId(), e);
      }
    }
    return batch;
  }

  /** The events that keep the rules, in the order sent. */
  List<IncomingEvent> readable() {
    return readable;
  }

  /** One outcome for each event that was sent, given the decisions on the readable ones. */
  List<EventOutcome> outcomes(List<Decision> decisions) {
    return outcomes(decisions, (event, decision) -> true);
  }

  /** The outcomes that the answer of a stream names: those that need a word. */
  List<EventOutcome> remarkable(List<Decision> decisions) {
    return outcomes(decisions, IncomingBatch::isRemarkable);
  }

  private static boolean isRemarkable(IncomingEvent event, Decision decision) {
    return decision.result() != Result.RECORDED || event.redaction() != null || !event.idGiven();
  }

  private List<EventOutcome> outcomes(
      List<Decision> decisions, BiPredicate<IncomingEvent, Decision> isNamed) {
    List<EventOutcome> outcomes = new ArrayList<>();
    int next = 0;
    for (int i = 0; i < refusals.length; i++) {
      Refusal refusal = refusals[i];
      if (refusal != null) {
        outcomes.add(EventOutcomes.refused(refusal.id(), refusal.reason(), i));
        continue;
      }
      IncomingEvent event = readable.get(next);
      Decision decision = decisions.get(next++);
      if (isNamed.test(event, decision)) {
        outcomes.add(EventOutcomes.of(event, decision, i));
      }
    }
    return outcomes;
  }

  /** Throws BATCH_REFUSED if an event breaks a rule. */
  void requireReadable() {
    List<FieldViolation> violations = new ArrayList<>();
    for (int i = 0; i < refusals.length; i++) {
      Refusal refusal = refusals[i];
      addViolations(violations, i, refusal == null ? null : refusal.reason());
    }
    if (!violations.isEmpty()) {
      throw ServiceException.invalid(ErrorReason.BATCH_REFUSED, violations);
    }
  }

  /** The BATCH_REFUSED that names each event that could not be recorded; all were readable. */
  ServiceException refusal(List<Decision> decisions) {
    List<FieldViolation> violations = new ArrayList<>();
    for (int i = 0; i < readable.size(); i++) {
      addViolations(violations, i, EventOutcomes.obstacle(readable.get(i), decisions.get(i)));
    }
    return ServiceException.invalid(ErrorReason.BATCH_REFUSED, violations);
  }

  private static void addViolations(
      List<FieldViolation> violations, int index, @Nullable ServiceException refusal) {
    if (refusal == null || violations.size() >= MAX_VIOLATIONS) {
      return;
    }
    String event = "events[" + index + "]";
    if (refusal.violations().isEmpty()) {
      violations.add(
          ServiceException.violation(
              event, refusal.reason(), String.valueOf(refusal.getMessage())));
    }
    violations.addAll(refusal.inside(event).violations());
  }
}
