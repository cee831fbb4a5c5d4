package io.rapport.delivery;

import java.util.function.IntToDoubleFunction;

/**
 * The line that lies nearest to values by least squares, and seasons around it.
 *
 * @param seasons what is added in each week, counted from the first
 * @param residuals what is left, squared and summed
 */
record TrendLine(
    int count, double mean, double slope, IntToDoubleFunction seasons, double residuals)
    implements Series {
  private static final double DAMPING = 0.7;

  /** The line with 0.7 of the season. */
  static TrendLine damped(double[] values) {
    TrendLine line = line(values);
    double[] season = season(line.rest(values), MONTH);
    return line.with(values, week -> DAMPING * season[week % MONTH]);
  }

  /** The line with seasons of 4 and of 12 weeks. */
  static TrendLine seasonal(double[] values) {
    TrendLine line = line(values);
    double[] month = season(line.rest(values), MONTH);
    TrendLine monthly = line.with(values, week -> month[week % MONTH]);
    double[] quarter = season(monthly.rest(values), QUARTER);
    return line.with(values, week -> month[week % MONTH] + quarter[week % QUARTER]);
  }

  private static TrendLine line(double[] values) {
    int n = values.length;
    double mean = 0;
    for (double value : values) {
      mean += value / n;
    }
    double middle = (n - 1) / 2.0;
    double slope = 0;
    for (int i = 0; i < n; i++) {
      slope += (i - middle) * (values[i] - mean) / spread(n);
    }
    return new TrendLine(n, mean, slope, week -> 0, 0);
  }

  /** How far the weeks lie from the middle one, squared and summed. */
  private static double spread(int n) {
    return n * ((double) n * n - 1) / 12;
  }

  private TrendLine with(double[] values, IntToDoubleFunction added) {
    TrendLine seasonal = new TrendLine(count, mean, slope, added, 0);
    double squares = 0;
    for (double rest : seasonal.rest(values)) {
      squares += rest * rest;
    }
    return new TrendLine(count, mean, slope, added, squares);
  }

  private double[] rest(double[] values) {
    double[] rest = new double[values.length];
    for (int i = 0; i < rest.length; i++) {
      rest[i] = values[i] - at(i);
    }
    return rest;
  }

  private double at(int week) {
    return mean + slope * (week - (count - 1) / 2.0) + seasons.applyAsDouble(week);
  }

  /** The mean of the values at each place of the period; none if it wasn't gone through twice. */
  private static double[] season(double[] values, int period) {
    double[] season = new double[period];
    if (values.length >= 2 * period) {
      int[] counts = new int[period];
      for (int i = 0; i < values.length; i++) {
        season[i % period] += values[i];
        counts[i % period]++;
      }
      for (int i = 0; i < period; i++) {
        season[i] /= counts[i];
      }
    }
    return season;
  }

  @Override
  public double expected(int ahead) {
    return at(count - 1 + ahead);
  }

  @Override
  public double deviation(int ahead) {
    double away = count - 1 + ahead - (count - 1) / 2.0;
    double error = Math.sqrt(residuals / (count - 2));
    return error * Math.sqrt(1 + 1.0 / count + away * away / spread(count));
  }
}
