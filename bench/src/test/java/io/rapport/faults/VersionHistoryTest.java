package io.rapport.faults;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class VersionHistoryTest {
  private final VersionHistory history = new VersionHistory();

  @Test
  void findsWhatWasOldWhenTheReadBegan() {
    history.changed(1, 100);
    history.changed(2, 200);

    history.hit(1, 250, true);
    history.hit(0, 250, true);

    assertThat(history.lags(true)).containsExactly(50L, 150L);
  }

  @Test
  void allowsWhatNobodyWasToldOfYet() {
    history.changed(1, 100);
    history.changed(2, 200);

    history.hit(1, 199, true);
    history.hit(2, 300, true);
    history.hit(3, 300, true);

    assertThat(history.lags(true)).containsOnly(0L);
  }

  @Test
  void countsALaterVersionThatWasAcknowledgedFirst() {
    history.changed(2, 100);
    history.changed(1, 200);

    history.hit(0, 150, true);
    history.hit(1, 150, true);

    assertThat(history.lags(true)).containsExactly(50L, 50L);
  }

  @Test
  void tellsTheSortsOfReadsApart() {
    history.changed(1, 100);

    history.hit(0, 130, false);

    assertThat(history.lags(false)).containsExactly(30L);
    assertThat(history.lags(true)).isEmpty();
  }
}
