package io.rapport.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

final class ZipfTest {
  @Test
  void theFirstComesUpTwiceAsOftenAsTheSecondAndAllDo() {
    Zipf zipf = new Zipf(3, 1);
    Random random = new Random(1);
    int[] counts = new int[3];

    for (int i = 0; i < 110_000; i++) {
      counts[zipf.next(random)]++;
    }

    assertThat(counts[0]).isCloseTo(60_000, within(1_000));
    assertThat(counts[1]).isCloseTo(30_000, within(1_000));
    assertThat(counts[2]).isCloseTo(20_000, within(1_000));
  }
}
