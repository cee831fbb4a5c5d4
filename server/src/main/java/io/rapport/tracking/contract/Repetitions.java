package io.rapport.tracking.contract;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the repetitions counted in braces make of a regular expression. */
final class Repetitions {
  /** No part of it can be matched in two ways, so this one is safe. */
  private static final Pattern COUNTS = Pattern.compile("\\{([0-9]{1,9})(?:,([0-9]{0,9}))?\\}");

  private static final long ENOUGH = 1_000_000_000;

  private Repetitions() {}

  /**
   * How many instructions the expression can compile to, at most and roughly: a count after a
   * single character adds to them; one after a group may be around others, and multiplies.
   */
  static long size(String expression) {
    long sum = expression.length();
    long factor = 1;
    Matcher counts = COUNTS.matcher(expression);
    while (counts.find()) {
      String upper = counts.group(2);
      long count = Long.parseLong(upper == null || upper.isEmpty() ? counts.group(1) : upper);
      char before = counts.start() == 0 ? ' ' : expression.charAt(counts.start() - 1);
      if (")}*+?".indexOf(before) >= 0) {
        factor = Math.min(ENOUGH, factor * Math.max(1, count));
      } else {
        sum += count;
      }
    }
    return Math.min(ENOUGH, sum * factor);
  }
}
