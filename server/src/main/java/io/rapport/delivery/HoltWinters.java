package io.rapport.delivery;

/** Level, trend and season of values, each smoothed. */
final class HoltWinters implements Series {
  private static final double ALPHA = 0.3;
  private static final double BETA = 0.1;
  private static final double GAMMA = 0.2;

  private final boolean seasonal;
  private final double[] seasons = new double[MONTH];
  private final int count;
  private double level;
  private double trend;
  private double squares;
  private int errors;

  /** At least two values. */
  HoltWinters(double[] values) {
    this.count = values.length;
    this.seasonal = count >= 2 * MONTH;
    int first = seasonal ? begin(values) : beginWithoutSeasons(values);
    for (int i = first; i < count; i++) {
      add(i, values[i]);
    }
  }

  /** A line through the means of the first two months; seasons are what the first is off it. */
  private int begin(double[] values) {
    double first = 0;
    double second = 0;
    for (int i = 0; i < MONTH; i++) {
      first += values[i] / MONTH;
      second += values[i + MONTH] / MONTH;
    }
    trend = (second - first) / MONTH;
    double middle = (MONTH - 1) / 2.0;
    for (int i = 0; i < MONTH; i++) {
      seasons[i] = values[i] - first - trend * (i - middle);
    }
    level = first + trend * middle;
    return MONTH;
  }

  private int beginWithoutSeasons(double[] values) {
    level = values[0];
    trend = values[1] - values[0];
    return 1;
  }

  private void add(int week, double value) {
    double season = seasons[week % MONTH];
    double error = value - (level + trend + season);
    squares += error * error;
    errors++;
    double before = level;
    level = ALPHA * (value - season) + (1 - ALPHA) * (level + trend);
    if (seasonal) {
      seasons[week % MONTH] = GAMMA * (value - before - trend) + (1 - GAMMA) * season;
    }
    trend = BETA * (level - before) + (1 - BETA) * trend;
  }

  @Override
  public double expected(int ahead) {
    return level + ahead * trend + seasons[(count - 1 + ahead) % MONTH];
  }

  @Override
  public double deviation(int ahead) {
    return Math.sqrt(squares / errors * (1 + (ahead - 1) * ALPHA * ALPHA));
  }
}
