package io.rapport.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** Against figures that were worked out by hand. */
class ForecastingTest {
  private static final Offset<Double> TINY = within(1e-9);

  @Test
  void aLineGoesOn() {
    TrendLine line = TrendLine.damped(new double[] {1, 2, 3});

    assertThat(line.expected(1)).isCloseTo(4, TINY);
    assertThat(line.expected(5)).isCloseTo(8, TINY);
    assertThat(line.deviation(1)).isCloseTo(0, TINY);
  }

  /** The line through 1, 3, 2, 6 is 1.4 t − 0.5, what is left 0.1, 0.7, −1.7, 0.9. */
  @Test
  void boundsGrowAsARegressionsDo() {
    TrendLine line = TrendLine.damped(new double[] {1, 3, 2, 6});

    assertThat(line.expected(1)).isCloseTo(6.5, TINY);
    assertThat(line.deviation(1))
        .isCloseTo(Math.sqrt(4.2 / 2) * Math.sqrt(1 + 0.25 + 6.25 / 5), TINY);
  }

  @Test
  void seasonsAreDampedOrNot() {
    double[] values = new double[16];
    for (int i = 0; i < 16; i++) {
      values[i] = i % 4 == 0 ? 10 : 6;
    }
    double left = TrendLine.damped(values).expected(1) - TrendLine.damped(values).expected(2);
    double whole = TrendLine.seasonal(values).expected(1) - TrendLine.seasonal(values).expected(2);

    assertThat(whole).isCloseTo(4, within(0.1));
    assertThat(left).isCloseTo(0.7 * 4, within(0.1));
  }

  /**
   * Of 10, 12, 20: level 10 and trend 2 at first, nothing to mend by 12, and by 20, where 14 was
   * expected, level 0.3·20 + 0.7·14 = 15.8 and trend 0.1·3.8 + 0.9·2 = 2.18.
   */
  @Test
  void levelAndTrendAreSmoothed() {
    HoltWinters smoothed = new HoltWinters(new double[] {10, 12, 20});

    assertThat(smoothed.expected(1)).isCloseTo(17.98, TINY);
    assertThat(smoothed.expected(2)).isCloseTo(20.16, TINY);
    assertThat(smoothed.deviation(1)).isCloseTo(Math.sqrt(36 / 2.0), TINY);
    assertThat(smoothed.deviation(3)).isCloseTo(Math.sqrt(18 * 1.18), TINY);
  }

  @Test
  void seasonsAreKept() {
    HoltWinters smoothed = new HoltWinters(new double[] {4, 8, 6, 2, 4, 8, 6, 2});

    assertThat(smoothed.expected(1)).isCloseTo(4, TINY);
    assertThat(smoothed.expected(2)).isCloseTo(8, TINY);
    assertThat(smoothed.expected(8)).isCloseTo(2, TINY);
  }
}
