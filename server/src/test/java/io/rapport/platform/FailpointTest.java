package io.rapport.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FailpointTest {
  @Test
  void readsPointsAndActions() {
    assertThat(
            Failpoint.parse(
                "tx.beforeCommit=halt@3,idem.afterReserve=sleep:200,tx.afterCommitBeforeReply=throw"))
        .containsOnlyKeys("tx.beforeCommit", "idem.afterReserve", "tx.afterCommitBeforeReply");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tx.beforeCommit",
        "nowhere=halt",
        "tx.beforeCommit=explode",
        "tx.beforeCommit=sleep",
        "tx.beforeCommit=halt:5",
        "tx.beforeCommit=sleep:x",
        "tx.beforeCommit=halt@0",
        "tx.beforeCommit=halt,"
      })
  void refusesWhatItDoesNotKnow(String text) {
    assertThatThrownBy(() -> Failpoint.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("rapport.failpoints: ");
  }

  @Test
  void doesNothingUnlessTheProcessWasToldTo() {
    assertThat(Failpoint.areSet()).isFalse();
    Failpoint.arm();

    Failpoint.hit("tx.beforeCommit");
  }
}
