package io.rapport.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class ResultTest {
  private static final Spread ONE = Spread.of(List.of(0.9, 1.0, 1.2));

  @Test
  void meetsItsTargetByTheMedian() {
    assertThat(Result.ratio("a", ONE, 1.0, 0).met()).isTrue();
    assertThat(Result.ratio("a", ONE, 1.01, 0).met()).isFalse();
  }

  @Test
  void mustNotExceedACeiling() {
    assertThat(Result.most("a", "s", ONE, 1.0, 0).met()).isTrue();
    assertThat(Result.most("a", "s", ONE, 0.99, 0).met()).isFalse();
  }

  @Test
  void saysSpreadTargetAndSteal() {
    assertThat(Result.ratio("a", ONE, 1.0, 0.01).line())
        .isEqualTo(
            "RATIO name=a value=1.000 target=1.00 min=0.900 max=1.200 runs=3 steal_percent=1.0"
                + " met=yes");
  }

  @Test
  void marksMuchSteal() {
    assertThat(Result.ratio("a", ONE, 1.0, 0.06).line()).contains(" steal=HIGH");
    assertThat(Result.ratio("a", ONE, 1.0, 0.05).line()).doesNotContain("steal=HIGH");
  }
}
