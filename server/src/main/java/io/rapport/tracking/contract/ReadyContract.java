package io.rapport.tracking.contract;

import io.rapport.tracking.v1.ContractViolation;
import io.rapport.tracking.v1.EventContract;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A contract, ready to judge events. */
final class ReadyContract {
  private final EventContract contract;
  private final FieldTree fields = new FieldTree("");
  private final List<String> textField;

  ReadyContract(EventContract contract) {
    this.contract = contract;
    contract.getFieldsList().forEach(fields::add);
    this.textField =
        contract.getTextField().isEmpty()
            ? List.of()
            : List.of(contract.getTextField().split("[.]", -1));
  }

  EventContract contract() {
    return contract;
  }

  /** How much memory it takes, in rules. */
  int weight() {
    return 1 + contract.getFieldsCount();
  }

  /** What the data breaks; null if it breaks nothing. */
  @Nullable Verdict check(@Nullable Map<String, @Nullable Object> data) {
    if (fields.isEmpty() && !contract.getRefuseUnknownFields()) {
      return null;
    }
    List<ContractViolation> found = violations(data);
    return found.isEmpty() ? null : new Verdict(contract.getMode(), contract.getVersion(), found);
  }

  List<ContractViolation> violations(@Nullable Map<String, @Nullable Object> data) {
    Violations violations = new Violations();
    fields.checkObject(
        data == null ? Map.of() : data, contract.getRefuseUnknownFields(), violations);
    return violations.found();
  }

  boolean namesText() {
    return !textField.isEmpty();
  }

  /** The string that is the event's text; empty if there is none. */
  String text(@Nullable Map<String, @Nullable Object> data) {
    if (textField.isEmpty()) {
      return "";
    }
    Object at = data;
    for (String key : textField) {
      at = at instanceof Map<?, ?> object ? object.get(key) : null;
    }
    return at instanceof String text ? text : "";
  }
}
