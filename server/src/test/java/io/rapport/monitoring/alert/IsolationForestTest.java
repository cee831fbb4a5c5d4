package io.rapport.monitoring.alert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Two detectors on data of which the anomalies are known. */
class IsolationForestTest {
  private static final IsolationForest.Shape USUAL = new IsolationForest.Shape(100, 256, 7);

  private static double[][] cloud(int rows) {
    Random random = new Random(3);
    return IntStream.range(0, rows)
        .mapToObj(i -> new double[] {random.nextGaussian(), random.nextGaussian()})
        .toArray(double[][]::new);
  }

  private static double score(IsolationForest forest, double[] row) {
    return forest.scores(new double[][] {row})[0];
  }

  @Test
  void setsApartWhatLiesFarFromTheRest() {
    double[][] rows = cloud(1000);
    rows[500] = new double[] {8, 8};
    rows[501] = new double[] {-9, 9};
    IsolationForest forest = new IsolationForest(rows, USUAL);

    double[] scores = forest.scores(rows);

    double[] others =
        IntStream.range(0, rows.length)
            .filter(i -> i != 500 && i != 501)
            .mapToDouble(i -> scores[i])
            .sorted()
            .toArray();
    assertThat(scores[500]).isLessThan(others[0]).isLessThan(-0.6);
    assertThat(scores[501]).isLessThan(others[0]).isLessThan(-0.6);
    assertThat(others[others.length / 2]).isBetween(-0.5, -0.35);
    assertThat(Arrays.stream(scores).allMatch(it -> it > -1 && it < 0)).isTrue();
  }

  @Test
  void isTheSameForTheSameSeedAndAnotherForAnother() {
    double[][] rows = cloud(300);
    double[] row = {3, 3};

    double score = score(new IsolationForest(rows, USUAL), row);

    assertThat(score(new IsolationForest(rows, USUAL), row)).isEqualTo(score);
    assertThat(score(new IsolationForest(rows, new IsolationForest.Shape(100, 256, 8)), row))
        .isNotEqualTo(score);
  }

  /** The paper's formula: 2 H(n - 1) - 2 (n - 1) / n. */
  @Test
  void measuresPathsByTheMeanOne() {
    double harmonic = IntStream.rangeClosed(1, 255).mapToDouble(i -> 1.0 / i).sum();

    assertThat(IsolationForest.usualPath(1)).isZero();
    assertThat(IsolationForest.usualPath(2)).isEqualTo(1);
    assertThat(IsolationForest.usualPath(256))
        .isCloseTo(2 * harmonic - 2 * 255.0 / 256, within(0.01));
  }

  @Test
  void growsFromRowsThatAreAllTheSame() {
    double[][] rows = new double[20][];
    Arrays.fill(rows, new double[] {1, 2});

    IsolationForest forest = new IsolationForest(rows, USUAL);

    assertThat(score(forest, new double[] {1, 2})).isCloseTo(-0.5, within(0.01));
  }

  @Test
  void growsFromTheGreatestAndTheLeastNumbers() {
    double[][] rows = {{-1e100}, {1e100}, {0}, {Math.nextUp(0.0)}, {1}, {Math.nextUp(1.0)}};

    IsolationForest forest = new IsolationForest(rows, USUAL);

    for (double[] row : rows) {
      assertThat(score(forest, row)).isBetween(-1.0, 0.0);
    }
  }

  @Test
  void measuresValuesByTheMedianDeviation() {
    RobustZScore z = new RobustZScore(new double[] {1, 2, 3, 4, 100});

    assertThat(z.of(3)).isZero();
    assertThat(z.of(100)).isCloseTo(0.6745 * 97, within(1e-9));
    assertThat(z.score(3 + 3.5 / 0.6745, 3.5)).isCloseTo(-0.5, within(1e-9));
  }

  @Test
  void measuresEachSideOfSkewedValuesByItself() {
    RobustZScore z = new RobustZScore(new double[] {0.9, 0.95, 1, 2, 5, 10, 20});

    assertThat(z.of(20)).isCloseTo(0.6745 * 18 / 5.5, within(1e-9));
    assertThat(z.of(0.9)).isCloseTo(0.6745 * 1.1 / 1.025, within(1e-9));
  }

  @Test
  void measuresValuesOfWhichMostAreTheSame() {
    RobustZScore most = new RobustZScore(new double[] {5, 5, 5, 5, 6});
    RobustZScore all = new RobustZScore(new double[] {5, 5, 5});

    assertThat(most.of(6)).isCloseTo(0.797885 / 0.2, within(1e-6));
    assertThat(all.score(5, 3.5)).isZero();
    assertThat(all.score(5.1, 3.5)).isEqualTo(-1);
  }
}
