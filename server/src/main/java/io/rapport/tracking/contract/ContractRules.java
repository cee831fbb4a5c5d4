package io.rapport.tracking.contract;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import com.google.rpc.BadRequest.FieldViolation;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.tracking.v1.EventContract;
import io.rapport.tracking.v1.FieldRule;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** What must hold of a contract, beyond what its messages say. */
final class ContractRules {
  private static final int MAX_DEFINITION_BYTES = 65_536;
  private static final int MAX_STRING = 1000;
  private static final int MAX_PROGRAM = 10_000;

  /** At some 20 ns an instruction and character, about 4 ms for an event. */
  private static final long MAX_PATTERN_WORK = 200_000;

  private final Predicate<String> isSensitive;
  private final String prefix;
  private final List<FieldViolation> violations = new ArrayList<>();
  private final Set<String> paths = new HashSet<>();
  private long patternWork;

  private ContractRules(Predicate<String> isSensitive, String prefix) {
    this.isSensitive = isSensitive;
    this.prefix = prefix;
  }

  /**
   * Throws INVALID_ARGUMENT if the contract can't be judged by.
   *
   * @param isSensitive tells keys that events never have, because they name a secret
   * @param field where the contract stands in the request
   */
  static void require(EventContract contract, Predicate<String> isSensitive, String field) {
    ContractRules rules = new ContractRules(isSensitive, field + ".");
    rules.check(contract);
    if (!rules.violations.isEmpty()) {
      throw ServiceException.invalid(ErrorReason.INVALID_FIELD, rules.violations);
    }
  }

  private void check(EventContract contract) {
    if (contract.getSerializedSize() > MAX_DEFINITION_BYTES) {
      violate("fields", "the contract must have at most 65536 bytes");
      return;
    }
    for (int i = 0; i < contract.getFieldsCount(); i++) {
      check(contract.getFields(i), "fields[" + i + "]");
    }
    if (!contract.getTextField().isEmpty()) {
      checkTextField(contract);
    }
  }

  private void checkTextField(EventContract contract) {
    requireKept(contract.getTextField(), "text_field");
    for (FieldRule rule : contract.getFieldsList()) {
      boolean other =
          rule.getPath().equals(contract.getTextField())
              && rule.getType() != FieldRule.Type.STRING
              && rule.getType() != FieldRule.Type.TYPE_UNSPECIFIED;
      require(!other, "text_field", "is a field whose type is not STRING");
    }
  }

  private void check(FieldRule rule, String field) {
    FieldRule.Type type = rule.getType();
    boolean number = type == FieldRule.Type.NUMBER || type == FieldRule.Type.INTEGER;
    requireKept(rule.getPath(), field + ".path");
    require(paths.add(rule.getPath()), field + ".path", "has a rule already");
    require(number || !rule.hasMin(), field + ".min", "needs type NUMBER or INTEGER");
    require(number || !rule.hasMax(), field + ".max", "needs type NUMBER or INTEGER");
    require(
        !rule.hasMin() || !rule.hasMax() || rule.getMin() <= rule.getMax(),
        field + ".max",
        "must not be less than min");
    require(
        type == FieldRule.Type.STRING || rule.getValuesCount() == 0,
        field + ".values",
        "needs type STRING");
    require(
        type == FieldRule.Type.STRING || type == FieldRule.Type.ARRAY || rule.getMaxLength() == 0,
        field + ".max_length",
        "needs type STRING or ARRAY");
    require(
        type == FieldRule.Type.STRING || rule.getPattern().isEmpty(),
        field + ".pattern",
        "needs type STRING");
    if (!rule.getPattern().isEmpty()) {
      checkPattern(rule, field + ".pattern");
    }
  }

  private void requireKept(String path, String field) {
    for (String key : path.split("[.]", -1)) {
      require(!isSensitive.test(key), field, "names a secret, which events are never kept with");
    }
  }

  /** Matching is linear in RE2, but repetitions can make the program itself large. */
  private void checkPattern(FieldRule rule, String field) {
    if (Repetitions.size(rule.getPattern()) > MAX_PROGRAM) {
      violate(field, "is too large: its counted repetitions multiply");
      return;
    }
    if (patternWork > MAX_PATTERN_WORK) {
      return; // which is said already
    }
    try {
      long length = rule.getMaxLength() == 0 ? MAX_STRING : rule.getMaxLength();
      patternWork += Pattern.compile(rule.getPattern()).programSize() * length;
    } catch (PatternSyntaxException e) {
      violate(field, "is no regular expression of RE2: " + e.getDescription());
      return;
    }
    require(
        patternWork <= MAX_PATTERN_WORK,
        field,
        "is too much work, with those before it; make it simpler or max_length less");
  }

  private void require(boolean holds, String field, String description) {
    if (!holds) {
      violate(field, description);
    }
  }

  private void violate(String field, String description) {
    violations.add(
        ServiceException.violation(prefix + field, ErrorReason.INVALID_FIELD, description));
  }
}
