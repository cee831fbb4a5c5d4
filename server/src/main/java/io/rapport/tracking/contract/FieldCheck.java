package io.rapport.tracking.contract;

import com.google.re2j.Pattern;
import io.rapport.tracking.v1.ContractViolation.Rule;
import io.rapport.tracking.v1.FieldRule;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A field's rule, ready to judge values: strings, Long, BigDecimal, Boolean, maps and lists. */
final class FieldCheck {
  private static final int MAX_TIMESTAMP = 40;
  private static final int MAX_NAMED_VALUES = 10;

  private final FieldRule rule;
  private final @Nullable Pattern pattern;
  private final Set<String> values;
  private final @Nullable BigDecimal min;
  private final @Nullable BigDecimal max;

  FieldCheck(FieldRule rule) {
    this.rule = rule;
    this.pattern = rule.getPattern().isEmpty() ? null : Pattern.compile(rule.getPattern());
    this.values = Set.copyOf(rule.getValuesList());
    this.min = rule.hasMin() ? BigDecimal.valueOf(rule.getMin()) : null;
    this.max = rule.hasMax() ? BigDecimal.valueOf(rule.getMax()) : null;
  }

  boolean isRequired() {
    return rule.getRequired();
  }

  void check(Object value, Violations violations) {
    if (!hasType(value)) {
      violations.add(rule.getPath(), Rule.TYPE, "must be " + nameOfType());
      return;
    }
    switch (value) {
      case String text -> checkText(text, violations);
      case Long number -> checkNumber(BigDecimal.valueOf(number), violations);
      case BigDecimal number -> checkNumber(number, violations);
      case List<?> array -> checkLength(array.size(), "items", violations);
      default -> {}
    }
  }

  private boolean hasType(Object value) {
    return switch (rule.getType()) {
      case STRING -> value instanceof String;
      case NUMBER -> value instanceof Long || value instanceof BigDecimal;
      case INTEGER ->
          value instanceof Long || (value instanceof BigDecimal number && number.scale() <= 0);
      case BOOLEAN -> value instanceof Boolean;
      case OBJECT -> value instanceof Map;
      case ARRAY -> value instanceof List;
      case TIMESTAMP -> value instanceof String text && isTimestamp(text);
      case TYPE_UNSPECIFIED, UNRECOGNIZED -> true;
    };
  }

  private String nameOfType() {
    return switch (rule.getType()) {
      case INTEGER -> "a number without a fraction";
      case OBJECT -> "an object";
      case ARRAY -> "an array";
      case BOOLEAN -> "true or false";
      case TIMESTAMP -> "an instant as in RFC 3339";
      case STRING, NUMBER, TYPE_UNSPECIFIED, UNRECOGNIZED ->
          "a " + rule.getType().name().toLowerCase(Locale.ROOT);
    };
  }

  private static boolean isTimestamp(String text) {
    if (text.length() > MAX_TIMESTAMP) {
      return false;
    }
    try {
      OffsetDateTime _ = OffsetDateTime.parse(text);
      return true;
    } catch (DateTimeException e) {
      return false;
    }
  }

  private void checkNumber(BigDecimal number, Violations violations) {
    boolean tooSmall = min != null && number.compareTo(min) < 0;
    boolean tooLarge = max != null && number.compareTo(max) > 0;
    if (tooSmall || tooLarge) {
      violations.add(rule.getPath(), Rule.RANGE, "must be " + range());
    }
  }

  private String range() {
    String least = min == null ? "" : "at least " + min.toPlainString();
    String most = max == null ? "" : "at most " + max.toPlainString();
    return least + (least.isEmpty() || most.isEmpty() ? "" : " and ") + most;
  }

  /** What is too long is not matched: a pattern's work is bounded by the length. */
  private void checkText(String text, Violations violations) {
    boolean fits = checkLength(text.codePointCount(0, text.length()), "characters", violations);
    if (!values.isEmpty() && !values.contains(text)) {
      violations.add(rule.getPath(), Rule.VALUE, "must be one of " + namedValues());
    }
    if (fits && pattern != null && !pattern.matcher(text).find()) {
      violations.add(rule.getPath(), Rule.PATTERN, "must match " + rule.getPattern());
    }
  }

  private String namedValues() {
    return values.size() > MAX_NAMED_VALUES
        ? values.size() + " values"
        : String.join(", ", rule.getValuesList());
  }

  private boolean checkLength(int length, String unit, Violations violations) {
    boolean fits = rule.getMaxLength() == 0 || length <= rule.getMaxLength();
    if (!fits) {
      violations.add(
          rule.getPath(),
          Rule.LENGTH,
          "must have at most %d %s".formatted(rule.getMaxLength(), unit));
    }
    return fits;
  }
}
