package io.rapport.versioning.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.versioning.v1.PromotionGate;
import io.rapport.versioning.v1.PromotionGate.Gate;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The conditions under which a version may become active. */
class GatesTest {
  private static final Set<Gate> ALL = EnumSet.allOf(Gate.class);

  static {
    ALL.removeAll(Arrays.asList(Gate.GATE_UNSPECIFIED, Gate.UNRECOGNIZED));
  }

  private static Version version(
      @Nullable String digest,
      @Nullable String status,
      boolean approved,
      @Nullable Double quality,
      long size,
      @Nullable Double score) {
    return new Version(
        UUID.randomUUID(),
        "goal",
        "1.0.0",
        digest,
        null,
        status,
        approved,
        quality,
        size,
        score,
        score,
        false,
        1);
  }

  private static Set<Gate> failed(
      Gates gates, Version version, @Nullable Version active, UUID... alerts) {
    Set<Gate> failed = EnumSet.noneOf(Gate.class);
    Gates.failed(gates.results(version, active, alerts.length))
        .forEach(it -> failed.add(it.getGate()));
    return failed;
  }

  @Test
  void failsWhatFulfilsNothing() {
    Version nothing = version(null, null, false, null, 0, null);
    Version active = version("d", "DEPLOYED", true, 0.9, 100, 0.8);

    assertThat(failed(new Gates(Policy.USUAL, Set.of()), nothing, active, UUID.randomUUID()))
        .isEqualTo(ALL);
    assertThat(failed(new Gates(Policy.USUAL, ALL), nothing, active, UUID.randomUUID())).isEmpty();
    assertThat(new Gates(Policy.USUAL, ALL).results(nothing, active, 0))
        .filteredOn(PromotionGate::getOverridden)
        .extracting(PromotionGate::getGate)
        .doesNotContain(Gate.NO_CRITICAL_ALERT)
        .hasSize(6);
  }

  @Test
  void passesWhatIsJustGoodEnough() {
    Policy policy = new Policy(0.5, 0.7, 20, true, true, true, 0.9, 20, 60);
    Version enough = version("d", "COMPLETED", true, 0.7, 20, 0.4);
    Version active = version("d", "DEPLOYED", true, 0.9, 100, 0.8);

    assertThat(failed(new Gates(policy, Set.of()), enough, active)).isEmpty();
    assertThat(
            failed(
                new Gates(policy, Set.of()),
                version("d", "IN_PROGRESS", true, 0.69, 19, 0.39),
                active))
        .containsExactlyInAnyOrder(
            Gate.VALIDATION_SCORE, Gate.DATA_QUALITY, Gate.SAMPLE_COUNT, Gate.TRAINING_COMPLETED);
  }

  @Test
  void comparesScoresOnlyWithAnActiveBaseline() {
    Version bad = version("d", "COMPLETED", true, 0.9, 100, 0.1);

    assertThat(failed(new Gates(Policy.USUAL, Set.of()), bad, null)).isEmpty();
    assertThat(
            failed(
                new Gates(Policy.USUAL, Set.of()),
                bad,
                version("d", "DEPLOYED", true, 0.9, 100, null)))
        .isEmpty();
  }

  @Test
  void asksNotForWhatThePolicyDoesWithout() {
    Policy lax = new Policy(0, 0, 0, false, false, false, 0.9, 20, 60);
    Version version = version(null, "COMPLETED", false, 0.0, 0, null);

    assertThat(failed(new Gates(lax, Set.of()), version, null, UUID.randomUUID())).isEmpty();
  }
}
