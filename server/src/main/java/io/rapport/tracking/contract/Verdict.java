package io.rapport.tracking.contract;

import com.google.rpc.BadRequest.FieldViolation;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.tracking.v1.ContractViolation;
import io.rapport.tracking.v1.EventContract.Mode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * That an event breaks a contract.
 *
 * @param mode what becomes of it
 * @param version the contract's; null: there is none, because the type is unknown
 * @param violations at least one
 */
public record Verdict(Mode mode, @Nullable Integer version, List<ContractViolation> violations) {
  /** The same, of an event that is recorded all the same. */
  public Verdict stamped() {
    return new Verdict(Mode.STAMP, version, violations);
  }

  /** Why the event is not recorded, with the paths of its fields from the event. */
  public ServiceException error() {
    List<FieldViolation> fields =
        violations.stream()
            .map(it ->
                ServiceException.violation(
                    field(it), ErrorReason.CONTRACT_VIOLATED, it.getDescription()))
            .toList();
    ServiceException error = ServiceException.invalid(ErrorReason.CONTRACT_VIOLATED, fields);
    return version == null ? error : error.with("contract_version", version.toString());
  }

  private static String field(ContractViolation violation) {
    return violation.getRule() == ContractViolation.Rule.UNKNOWN_TYPE
        ? "event_type"
        : "data." + violation.getPath();
  }
}
