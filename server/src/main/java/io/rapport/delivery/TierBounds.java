package io.rapport.delivery;

import io.rapport.delivery.v1.DoraMarketBenchmark;
import io.rapport.delivery.v1.DoraMarketBenchmark.Tier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The longest lead time of each tier, by a report.
 *
 * @param year of the report; 0: none is there
 */
record TierBounds(int year, List<Bound> bounds) {
  private static final Map<Tier, Duration> USUAL =
      new EnumMap<>(
          Map.of(
              Tier.ELITE, Duration.ofDays(1),
              Tier.HIGH, Duration.ofDays(7),
              Tier.MEDIUM, Duration.ofDays(30)));

  private static final Map<String, Duration> UNITS =
      Map.of(
          "hour", Duration.ofHours(1),
          "day", Duration.ofDays(1),
          "week", Duration.ofDays(7),
          "month", Duration.ofDays(30),
          "year", Duration.ofDays(365));

  private static final Pattern SPAN =
      Pattern.compile("(\\d{1,4}|an?|one|six)[ -](hour|day|week|month|year)s?");
  private static final Pattern OPEN = Pattern.compile("^(>|more than|over|at least)");

  /**
   * @param value what the tier achieves, as the report has it
   * @param longest empty: there is none
   */
  record Bound(Tier tier, String value, Optional<Duration> longest) {}

  /**
   * @param benchmarks of one report and of lead times
   */
  static TierBounds of(List<DoraMarketBenchmark> benchmarks) {
    Map<Tier, String> values = new EnumMap<>(Tier.class);
    benchmarks.forEach(it -> values.put(it.getPerformanceTier(), it.getMetricValue()));
    List<Bound> bounds = new ArrayList<>();
    for (Tier tier : List.of(Tier.ELITE, Tier.HIGH, Tier.MEDIUM, Tier.LOW)) {
      String value = values.getOrDefault(tier, "");
      bounds.add(new Bound(tier, value, longest(tier, value)));
    }
    int year = benchmarks.isEmpty() ? 0 : benchmarks.getFirst().getReportYear();
    return new TierBounds(year, bounds);
  }

  /** The last span that a value names, such as a week of `1 day to 1 week`. */
  private static Optional<Duration> longest(Tier tier, String value) {
    String text = value.toLowerCase(Locale.ROOT).strip();
    Duration span = null;
    for (Matcher at = SPAN.matcher(text); at.find(); ) {
      span = UNITS.getOrDefault(at.group(2), Duration.ZERO).multipliedBy(count(at.group(1)));
    }
    if (OPEN.matcher(text).find()) {
      return Optional.empty();
    }
    return Optional.ofNullable(span == null ? USUAL.get(tier) : span);
  }

  private static int count(String word) {
    return switch (word) {
      case "a", "an", "one" -> 1;
      case "six" -> 6;
      default -> Integer.parseInt(word);
    };
  }

  /** The best tier that a lead time is good enough for. */
  Tier tierOf(double seconds) {
    return bounds.stream()
        .filter(it -> it.longest().map(longest -> seconds <= longest.toSeconds()).orElse(false))
        .map(Bound::tier)
        .findFirst()
        .orElse(Tier.LOW);
  }
}
