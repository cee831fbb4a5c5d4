package io.rapport.versioning.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.rapport.versioning.v1.CategoryCount;
import io.rapport.versioning.v1.CategorySummary;
import io.rapport.versioning.v1.DatasetDrift.Verdict;
import io.rapport.versioning.v1.NumberSummary;
import io.rapport.versioning.v1.QualityTrend.Direction;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** Against figures reckoned by hand. */
class FormulasTest {
  private static final Offset<Double> CLOSE = within(1e-6);

  @Test
  void scoresOfFourRecordsWithTwoFeatures() {
    FieldTally mixed = new FieldTally(0, 0, 3, 0, 1, 3);
    FieldTally gaps = new FieldTally(0, 0, 0, 0, 2, 2);

    QualityScores scores = QualityScores.of(4, List.of(mixed, gaps), DatasetRules.WEIGHTS);

    assertThat(scores.completeness()).isEqualTo(6 / 8.0);
    assertThat(scores.consistency()).isEqualTo(7 / 8.0);
    assertThat(scores.validity()).isEqualTo(5 / 8.0);
    assertThat(scores.overall()).isCloseTo(0.75, CLOSE);
  }

  @Test
  void scoresOfNothing() {
    assertThat(QualityScores.of(0, List.of(), DatasetRules.WEIGHTS))
        .isEqualTo(new QualityScores(0, 1, 0, 0.3));
    assertThat(QualityScores.of(3, List.of(), DatasetRules.WEIGHTS))
        .isEqualTo(new QualityScores(0, 1, 0, 0.3));
  }

  @Test
  void oneRecordIsConsistent() {
    QualityScores scores =
        QualityScores.of(1, List.of(new FieldTally(1, 0, 0, 0, 0, 1)), DatasetRules.WEIGHTS);

    assertThat(scores).isEqualTo(new QualityScores(1, 1, 1, 1));
  }

  @Test
  void differenceOfAQuarter() {
    Distributions both = new Distributions(List.of(50L, 50L), List.of(25L, 75L));

    // (.25 - .5) ln(.25 / .5) + (.75 - .5) ln(.75 / .5)
    assertThat(both.populationStabilityIndex()).isCloseTo(0.274653, CLOSE);
    assertThat(both.kolmogorovSmirnov()).isCloseTo(0.25, CLOSE);
    // H(.375, .625) - (H(.5, .5) + H(.25, .75)) / 2
    assertThat(both.jensenShannon()).isCloseTo(0.048795, CLOSE);
  }

  @Test
  void anEmptyBinCountsAsHalfAValue() {
    Distributions both = new Distributions(List.of(10L, 0L, 0L), List.of(5L, 5L, 0L));

    // (.5 - 1) ln(.5) + (.5 - .05) ln(.5 / .05)
    assertThat(both.populationStabilityIndex()).isCloseTo(1.382737, CLOSE);
    assertThat(both.kolmogorovSmirnov()).isCloseTo(0.5, CLOSE);
    // H(.75, .25) - 1 / 2
    assertThat(both.jensenShannon()).isCloseTo(0.311278, CLOSE);
  }

  @Test
  void theSameSharesDoNotDiffer() {
    Distributions both = new Distributions(List.of(1L, 2L, 3L), List.of(10L, 20L, 30L));

    assertThat(both.populationStabilityIndex()).isCloseTo(0, CLOSE);
    assertThat(both.kolmogorovSmirnov()).isCloseTo(0, CLOSE);
    assertThat(both.jensenShannon()).isCloseTo(0, CLOSE);
  }

  @Test
  void nothingInCommonIsOne() {
    Distributions both = new Distributions(List.of(4L, 0L), List.of(0L, 4L));

    assertThat(both.kolmogorovSmirnov()).isEqualTo(1);
    assertThat(both.jensenShannon()).isEqualTo(1);
  }

  @Test
  void verdictsChangeAfterTheirBounds() {
    assertThat(Drift.verdict(0.1)).isEqualTo(Verdict.NONE);
    assertThat(Drift.verdict(0.1001)).isEqualTo(Verdict.MODERATE);
    assertThat(Drift.verdict(0.25)).isEqualTo(Verdict.MODERATE);
    assertThat(Drift.verdict(0.2501)).isEqualTo(Verdict.SIGNIFICANT);
  }

  @Test
  void numbersAreComparedOverTheSameEdgesOnly() {
    NumberSummary one = NumberSummary.newBuilder().addEdges(1).addCounts(2).addCounts(3).build();
    NumberSummary other = one.toBuilder().setEdges(0, 2).build();

    assertThat(Distributions.of(one, one))
        .contains(new Distributions(List.of(2L, 3L), List.of(2L, 3L)));
    assertThat(Distributions.of(one, other)).isEmpty();
  }

  @Test
  void categoriesThatAreNotToldOfBothAreOneBin() {
    CategorySummary before = categories(10, "a", 6, "b", 4);
    CategorySummary now = categories(20, "a", 5, "c", 10);

    // Of `now` 5 are not told, and may be b: so b is among the rest; c wasn't there before.
    assertThat(Distributions.of(before, now))
        .contains(new Distributions(List.of(6L, 0L, 4L), List.of(5L, 10L, 5L)));
    assertThat(Distributions.of(before, categories(0))).isEmpty();
  }

  private static CategorySummary categories(long count, Object... counts) {
    CategorySummary.Builder summary = CategorySummary.newBuilder().setCount(count);
    long rest = count;
    for (int i = 0; i < counts.length; i += 2) {
      int n = (int) counts[i + 1];
      summary.addTop(CategoryCount.newBuilder().setValue((String) counts[i]).setCount(n));
      rest -= n;
    }
    return summary.setRestCount(rest).build();
  }

  @Test
  void trendsHaveADirectionFromTwoOnHundredths() {
    assertThat(Trend.of()).isEqualTo(new Trend(0, Direction.DIRECTION_UNSPECIFIED));
    assertThat(Trend.of(0.5)).isEqualTo(new Trend(0, Direction.DIRECTION_UNSPECIFIED));
    // Means 1 and .6: (-1 * -.2 + 1 * .1) / 2
    assertThat(Trend.of(0.4, 0.7, 0.7).slope()).isCloseTo(0.15, CLOSE);
    assertThat(Trend.of(0.4, 0.7, 0.7).direction()).isEqualTo(Direction.IMPROVING);
    assertThat(Trend.of(0.70, 0.719).direction()).isEqualTo(Direction.STABLE);
    assertThat(Trend.of(0.70, 0.72).direction()).isEqualTo(Direction.IMPROVING);
    assertThat(Trend.of(0.72, 0.70).direction()).isEqualTo(Direction.DEGRADING);
  }
}
