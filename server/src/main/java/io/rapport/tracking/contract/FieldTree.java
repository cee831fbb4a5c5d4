package io.rapport.tracking.contract;

import io.rapport.tracking.v1.ContractViolation.Rule;
import io.rapport.tracking.v1.FieldRule;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The rules of an object's fields, laid out as the fields are. */
final class FieldTree {
  private final String path;
  private final Map<String, FieldTree> fields = new TreeMap<>();
  private @Nullable FieldCheck check;

  FieldTree(String path) {
    this.path = path;
  }

  void add(FieldRule rule) {
    FieldTree at = this;
    for (String key : rule.getPath().split("[.]", -1)) {
      at = at.field(key);
    }
    at.check = new FieldCheck(rule);
  }

  boolean isEmpty() {
    return fields.isEmpty();
  }

  private FieldTree field(String key) {
    return fields.computeIfAbsent(key, it -> new FieldTree(pathOf(it)));
  }

  private String pathOf(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  void checkObject(Map<?, ?> object, boolean refuseUnknown, Violations violations) {
    for (Map.Entry<String, FieldTree> field : fields.entrySet()) {
      if (violations.isFull()) {
        return;
      }
      field.getValue().check(object.get(field.getKey()), refuseUnknown, violations);
    }
    if (refuseUnknown) {
      findUnknown(object, violations);
    }
  }

  private void findUnknown(Map<?, ?> object, Violations violations) {
    for (Map.Entry<?, ?> field : object.entrySet()) {
      String key = (String) field.getKey();
      if (field.getValue() != null && !fields.containsKey(key)) {
        violations.add(pathOf(key), Rule.UNKNOWN_FIELD, "is not a field of the contract");
      }
    }
  }

  private void check(@Nullable Object value, boolean refuseUnknown, Violations violations) {
    if (check != null && value != null) {
      check.check(value, violations);
    } else if (check != null && check.isRequired()) {
      violations.add(path, Rule.REQUIRED, "is required");
    }
    if (!fields.isEmpty()) {
      Map<?, ?> object = value instanceof Map<?, ?> map ? map : Map.of();
      checkObject(object, refuseUnknown, violations);
    }
  }
}
