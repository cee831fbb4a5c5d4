package io.rapport.delivery;

/**
 * A value each week, foretold by one of several methods; the formulas stand with {@code
 * LeadTimeForecast}.
 */
interface Series {
  /** The periods of seasons are in weeks. */
  int MONTH = 4;

  int QUARTER = 12;

  /** The value expected so many weeks after the last: 1 and more. */
  double expected(int ahead);

  /** The standard deviation of what comes from what is expected; NaN if nothing says. */
  double deviation(int ahead);
}
