package io.rapport.bench;

import java.util.Locale;

/**
 * What was measured under a name.
 *
 * @param unit of the value; empty for a ratio
 * @param ceiling whether the target is the most that is allowed, not the least
 * @param steal share of the processors' time that other guests took meanwhile
 */
record Result(
    String name, String unit, Spread value, double target, boolean ceiling, double steal) {
  private static final double HIGH_STEAL = 0.05;

  /** A ratio that must reach its target. */
  static Result ratio(String name, Spread value, double target, double steal) {
    return new Result(name, "", value, target, false, steal);
  }

  /** A quantity that must not exceed its target. */
  static Result most(String name, String unit, Spread value, double target, double steal) {
    return new Result(name, unit, value, target, true, steal);
  }

  boolean met() {
    return ceiling ? value.median() <= target : value.median() >= target;
  }

  String line() {
    String line =
        String.format(
            Locale.ROOT,
            "RATIO name=%s value=%.3f target=%.2f min=%.3f max=%.3f runs=%d steal_percent=%.1f",
            name,
            value.median(),
            target,
            value.min(),
            value.max(),
            value.count(),
            100 * steal);
    return line
        + (unit.isEmpty() ? "" : " unit=" + unit)
        + (steal > HIGH_STEAL ? " steal=HIGH" : "")
        + (met() ? " met=yes" : " met=no");
  }
}
