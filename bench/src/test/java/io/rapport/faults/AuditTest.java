package io.rapport.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class AuditTest {
  private final History history = new History();

  @Test
  void findsNothingWhereAllIsAsItWasTold() {
    told("done", Outcome.OK);
    told("refused", Outcome.REFUSED);
    told("open", Outcome.UNKNOWN);
    told("open and there", Outcome.UNKNOWN);

    Audit audit = Audit.of(history, Map.of("done", 1, "open and there", 1));

    assertThat(audit.clean()).isTrue();
    assertThat(audit.unknown()).isEqualTo(2);
    assertThat(audit.unknownPresent()).isEqualTo(1);
  }

  @Test
  void findsWhatWasLost() {
    told("done", Outcome.OK);
    told("lost", Outcome.OK);

    Audit audit = Audit.of(history, Map.of("done", 1));

    assertThat(audit.lost()).containsExactly("lost");
    assertThat(audit.clean()).isFalse();
  }

  @Test
  void findsWhatWasRefusedAndIsThere() {
    told("refused", Outcome.REFUSED);

    Audit audit = Audit.of(history, Map.of("refused", 1));

    assertThat(audit.refusedButPresent()).containsExactly("refused");
    assertThat(audit.clean()).isFalse();
  }

  @Test
  void findsWhatIsThereTwiceWhateverWasTold() {
    told("twice", Outcome.OK);
    told("open twice", Outcome.UNKNOWN);

    Audit audit = Audit.of(history, Map.of("twice", 2, "open twice", 2));

    assertThat(audit.duplicated()).containsExactlyInAnyOrder("twice", "open twice");
    assertThat(audit.clean()).isFalse();
  }

  @Test
  void findsWhatNobodyWrote() {
    Audit audit = Audit.of(history, Map.of("strange", 1));

    assertThat(audit.strange()).containsExactly("strange");
    assertThat(audit.clean()).isFalse();
  }

  @Test
  void takesAWriteForDoneIfOneOfItsCallsWas() {
    for (List<Outcome> each :
        List.of(
            List.of(Outcome.UNKNOWN, Outcome.OK),
            List.of(Outcome.OK, Outcome.REFUSED),
            List.of(Outcome.REFUSED, Outcome.OK))) {
      each.forEach(outcome -> told("key", outcome));
    }

    assertThat(Audit.of(history, Map.of()).lost()).containsExactly("key");
  }

  @Test
  void takesAWriteForOpenIfOneOfItsCallsIs() {
    told("key", Outcome.REFUSED);
    told("key", Outcome.UNKNOWN);

    assertThat(Audit.of(history, Map.of("key", 1)).clean()).isTrue();
  }

  @Test
  void measuresRecoveryByCallsThatBeganAfterTheKill() {
    history.add(new Operation(0, "rpc", "before", 1_000_000, 3_000_000, Outcome.OK));
    history.add(new Operation(0, "rpc", "refused", 3_000_000, 4_000_000, Outcome.REFUSED));
    history.add(new Operation(0, "rpc", "after", 5_000_000, 9_000_000, Outcome.OK));

    assertThat(history.recoveryMillis(2_000_000)).isEqualTo(7);
    assertThat(history.recoveryMillis(6_000_000)).isEqualTo(-1);
  }

  private void told(String key, Outcome outcome) {
    history.add(0, "rpc", List.of(key), 0, outcome);
  }
}
