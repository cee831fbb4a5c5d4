package io.rapport.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.faults.ActiveVersions.Kind;
import org.junit.jupiter.api.Test;

/** Orders in which calls can have happened; they begin and end by this clock. */
final class ActiveVersionsTest {
  private long now;
  private final ActiveVersions history = new ActiveVersions(() -> now);

  private void promoted(int version, int before, long start, long end) {
    now = end;
    history.add(Kind.PROMOTE, version, -1, before, version, start);
  }

  private void read(int version, long start, long end) {
    now = end;
    history.add(Kind.READ, -1, -1, -1, version, start);
  }

  private void rolledBack(int before, int after, long start, long end) {
    now = end;
    history.add(Kind.ROLL_BACK, -1, -1, before, after, start);
  }

  @Test
  void findsAnOrderOfWhatOverlaps() {
    promoted(1, 2, 1, 9);
    promoted(2, 0, 1, 9);
    read(0, 2, 3);
    read(2, 4, 5);
    read(1, 6, 7);
    rolledBack(1, 2, 10, 11);
    rolledBack(2, 0, 12, 13);
    rolledBack(-1, -1, 14, 15);

    assertThat(history.isLinearizable(0)).isTrue();
  }

  @Test
  void seesAReadOfWhatWasReplacedBefore() {
    promoted(1, 0, 1, 2);
    read(0, 3, 4);

    assertThat(history.isLinearizable(0)).isFalse();
  }

  @Test
  void seesTwoReadsThatGoBack() {
    promoted(1, 0, 1, 9);
    read(1, 2, 3);
    read(0, 4, 5);

    assertThat(history.isLinearizable(0)).isFalse();
  }

  @Test
  void seesALostUpdate() {
    promoted(1, 0, 1, 9);
    promoted(2, 0, 1, 9);

    assertThat(history.isLinearizable(0)).isFalse();
  }

  @Test
  void seesAnExpectationThatWasMetByNothing() {
    now = 2;
    history.add(Kind.PROMOTE_IF, 2, 1, 0, 2, 1);

    assertThat(history.isLinearizable(0)).isFalse();
  }

  @Test
  void seesARefusalWithoutCause() {
    now = 2;
    history.add(Kind.PROMOTE_IF, 2, 0, -1, -1, 1);

    assertThat(history.isLinearizable(0)).isFalse();
  }

  @Test
  void seesARollbackToTheWrongVersion() {
    promoted(1, 0, 1, 2);
    promoted(2, 1, 3, 4);
    rolledBack(2, 0, 5, 6);

    assertThat(history.isLinearizable(0)).isFalse();
  }
}
