package io.rapport.delivery;

import io.rapport.delivery.v1.LeadTimeForecast;
import io.rapport.delivery.v1.LeadTimeForecast.Method;
import io.rapport.delivery.v1.LeadTimeWeek;
import io.rapport.platform.Times;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;

/** Foretells weekly medians; the formulas stand with {@code LeadTimeForecast}. */
final class Forecasting {
  /** The fewest weeks that a forecast can go by. */
  static final int FEWEST = 2;

  private static final Duration WEEK = Duration.ofDays(7);
  private static final int FEWEST_FOR_BOUNDS = 4;
  private static final int FEWEST_TO_TRY_BY = 8;
  private static final int HELD_OUT = 5;
  private static final double NINETY_FIVE_PERCENT = 1.96;

  private final Method method;

  Forecasting(Method method) {
    this.method = method == Method.METHOD_UNSPECIFIED ? Method.LINEAR : method;
  }

  /**
   * @param history at least {@link #FEWEST} weeks, in their order
   * @param last the start of the last week that is over
   */
  LeadTimeForecast of(List<LeadTimeWeek> history, Instant last, int weeks) {
    double[] values = filled(history);
    Instant lastKnown = start(history.getLast());
    int silent = weeksBetween(lastKnown, last);
    Series series = series(values);
    LeadTimeForecast.Builder forecast =
        LeadTimeForecast.newBuilder().setMethod(method).addAllHistory(history);
    for (int ahead = silent + 1; ahead <= silent + weeks; ahead++) {
      Instant week = lastKnown.plus(WEEK.multipliedBy(ahead));
      forecast.addWeeks(week(week, series, ahead, values.length));
    }
    int heldOut = heldOut(values.length);
    forecast.setHeldOutWeeks(heldOut);
    if (heldOut > 0) {
      tried(values, heldOut).ifPresent(forecast::setRSquared);
    }
    return forecast.build();
  }

  private static Instant start(LeadTimeWeek week) {
    return Times.instant(week.getWeekStartAt());
  }

  private static int weeksBetween(Instant first, Instant second) {
    return Math.toIntExact(Duration.between(first, second).dividedBy(WEEK));
  }

  /** A value for each week from the first to the last. */
  static double[] filled(List<LeadTimeWeek> history) {
    Instant first = start(history.getFirst());
    double[] values = new double[weeksBetween(first, start(history.getLast())) + 1];
    int before = 0;
    for (LeadTimeWeek week : history) {
      int at = weeksBetween(first, start(week));
      values[at] = week.getFigures().getMedianSeconds();
      for (int i = before + 1; i < at; i++) {
        double part = (double) (i - before) / (at - before);
        values[i] = values[before] + part * (values[at] - values[before]);
      }
      before = at;
    }
    return values;
  }

  private Series series(double[] values) {
    return switch (method) {
      case HOLT_WINTERS -> new HoltWinters(values);
      case TREND_AND_SEASONS -> TrendLine.seasonal(values);
      case LINEAR, METHOD_UNSPECIFIED, UNRECOGNIZED -> TrendLine.damped(values);
    };
  }

  private static LeadTimeForecast.Week week(Instant start, Series series, int ahead, int known) {
    double expected = series.expected(ahead);
    LeadTimeForecast.Week.Builder week =
        LeadTimeForecast.Week.newBuilder()
            .setWeekStartAt(Times.proto(start))
            .setMedianSeconds(Math.max(0, expected));
    if (known >= FEWEST_FOR_BOUNDS) {
      double away = NINETY_FIVE_PERCENT * series.deviation(ahead);
      week.setLowerSeconds(Math.max(0, expected - away));
      week.setUpperSeconds(Math.max(0, expected + away));
    }
    return week.build();
  }

  private static int heldOut(int known) {
    int part = known / HELD_OUT;
    return part > 0 && known - part >= FEWEST_TO_TRY_BY ? part : 0;
  }

  private OptionalDouble tried(double[] values, int heldOut) {
    int known = values.length - heldOut;
    Series series = series(Arrays.copyOf(values, known));
    double mean = Arrays.stream(values, known, values.length).average().orElseThrow();
    double errors = 0;
    double spread = 0;
    for (int i = known; i < values.length; i++) {
      double error = values[i] - Math.max(0, series.expected(i - known + 1));
      errors += error * error;
      spread += (values[i] - mean) * (values[i] - mean);
    }
    return spread == 0 ? OptionalDouble.empty() : OptionalDouble.of(1 - errors / spread);
  }
}
