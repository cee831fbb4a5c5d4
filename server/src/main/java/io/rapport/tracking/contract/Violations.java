package io.rapport.tracking.contract;

import io.rapport.tracking.v1.ContractViolation;
import io.rapport.tracking.v1.ContractViolation.Rule;
import java.util.ArrayList;
import java.util.List;

/** What one event breaks, as far as it is kept. */
final class Violations {
  private static final int MAX = 20;
  private static final int MAX_PATH = 500;

  private final List<ContractViolation> found = new ArrayList<>(0);

  void add(String path, Rule rule, String description) {
    if (isFull()) {
      return;
    }
    found.add(
        ContractViolation.newBuilder()
            .setPath(cut(path))
            .setRule(rule)
            .setDescription(description)
            .build());
  }

  boolean isFull() {
    return found.size() == MAX;
  }

  List<ContractViolation> found() {
    return found;
  }

  private static String cut(String path) {
    return path.codePointCount(0, path.length()) <= MAX_PATH
        ? path
        : path.substring(0, path.offsetByCodePoints(0, MAX_PATH));
  }
}
