package io.rapport.platform;

import build.buf.protovalidate.Config;
import build.buf.protovalidate.ValidationResult;
import build.buf.protovalidate.Validator;
import build.buf.protovalidate.ValidatorFactory;
import build.buf.protovalidate.exceptions.ValidationException;
import build.buf.validate.FieldPath;
import build.buf.validate.FieldPathElement;
import build.buf.validate.Ignore;
import build.buf.validate.ValidateProto;
import build.buf.validate.Violation;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import com.google.rpc.BadRequest.FieldViolation;
import io.rapport.platform.v1.ErrorReason;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** The rules that the contract states, and those that hold for every text. */
public final class Rules {
  private static final int MAX_VIOLATIONS = 100;

  /** Those of protobuf. */
  private final Validator validator;

  public Rules() {
    Config config = Config.newBuilder().setEnableNativeRules(true).build();
    this.validator = ValidatorFactory.newBuilder().withConfig(config).build();
  }

  /** Throws INVALID_ARGUMENT, with the path of every field that breaks a rule. */
  public void check(Message request) {
    List<FieldViolation> violations = violations(request);
    if (!violations.isEmpty()) {
      throw ServiceException.invalid(ErrorReason.INVALID_FIELD, violations);
    }
    requireStorable(request, "");
  }

  /** What breaks the rules that stand in the contract. */
  public List<FieldViolation> violations(Message message) {
    try {
      ValidationResult result = validator.validate(message);
      return result.isSuccess() ? List.of() : describe(result);
    } catch (ValidationException | ArithmeticException e) {
      List<FieldViolation> unreadable = new ArrayList<>();
      findStrangeTimes(message, "", unreadable);
      if (unreadable.isEmpty()) {
        throw new IllegalStateException("the contract's rules can't be evaluated", e);
      }
      return unreadable;
    }
  }

  /** A rule on times can't be evaluated on one that is out of protobuf's range. */
  private static void findStrangeTimes(
      Message message, String prefix, List<FieldViolation> violations) {
    for (Map.Entry<FieldDescriptor, Object> field : message.getAllFields().entrySet()) {
      String path = prefix + field.getKey().getName();
      if (field.getValue() instanceof List<?> values) {
        for (int i = 0; i < values.size(); i++) {
          findStrangeTime(values.get(i), path + "[" + i + "]", violations);
        }
      } else {
        findStrangeTime(field.getValue(), path, violations);
      }
    }
  }

  private static void findStrangeTime(Object value, String path, List<FieldViolation> violations) {
    if (value instanceof Timestamp time && !Times.isValid(time)) {
      violations.add(
          ServiceException.violation(
              path, ErrorReason.INVALID_FIELD, "must be an instant from year 1 to 9999"));
    } else if (value instanceof Duration span && !Times.isValid(span)) {
      violations.add(
          ServiceException.violation(
              path,
              ErrorReason.INVALID_FIELD,
              "must be a span of at most 10,000 years, its seconds and nanos of one sign"));
    } else if (value instanceof Message inner) {
      findStrangeTimes(inner, path + ".", violations);
    }
  }

  /** Throws INVALID_ARGUMENT if there are times or spans that protobuf doesn't have. */
  public static void requireTimes(Message message) {
    List<FieldViolation> strange = new ArrayList<>();
    findStrangeTimes(message, "", strange);
    if (!strange.isEmpty()) {
      throw ServiceException.invalid(ErrorReason.INVALID_FIELD, strange);
    }
  }

  private static List<FieldViolation> describe(ValidationResult result) {
    List<FieldViolation> described = new ArrayList<>();
    for (var found : result.getViolations()) {
      if (described.size() == MAX_VIOLATIONS) {
        break;
      }
      Violation violation = found.toProto();
      String text =
          violation.getMessage().isEmpty()
              ? "breaks the rule " + violation.getRuleId()
              : violation.getMessage();
      described.add(
          ServiceException.violation(path(violation.getField()), ErrorReason.INVALID_FIELD, text));
    }
    return described;
  }

  private static String path(FieldPath field) {
    StringBuilder path = new StringBuilder();
    for (FieldPathElement element : field.getElementsList()) {
      if (!path.isEmpty()) {
        path.append('.');
      }
      path.append(element.getFieldName());
      if (element.hasIndex()) {
        path.append('[').append(element.getIndex()).append(']');
      }
    }
    return path.toString();
  }

  /** PostgreSQL can't hold a NUL in a text. */
  private static void requireStorable(Message message, String prefix) {
    for (Map.Entry<FieldDescriptor, Object> field : message.getAllFields().entrySet()) {
      if (!mayHoldText(field.getKey()) || isJudgedElsewhere(field.getKey())) {
        continue;
      }
      String path = prefix + field.getKey().getName();
      if (field.getValue() instanceof Collection<?> values) {
        int index = 0;
        for (Object value : values) {
          requireStorableValue(value, path + "[" + index++ + "]");
        }
      } else {
        requireStorableValue(field.getValue(), path);
      }
    }
  }

  private static boolean mayHoldText(FieldDescriptor field) {
    return field.getJavaType() == JavaType.STRING || field.getJavaType() == JavaType.MESSAGE;
  }

  /**
   * Items that the contract exempts have an outcome each: one that is bad must not fail the call.
   */
  private static boolean isJudgedElsewhere(FieldDescriptor field) {
    return field.isRepeated()
        && field.getOptions().getExtension(ValidateProto.field).getRepeated().getItems().getIgnore()
            == Ignore.IGNORE_ALWAYS;
  }

  private static void requireStorableValue(Object value, String path) {
    if (value instanceof String text && text.indexOf('\0') >= 0) {
      throw ServiceException.invalid(path, ErrorReason.TEXT_NUL, "must not contain NUL");
    }
    if (value instanceof Message message) {
      requireStorable(message, path + ".");
    }
  }
}
