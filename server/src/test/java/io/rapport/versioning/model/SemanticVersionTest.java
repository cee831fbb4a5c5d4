package io.rapport.versioning.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Versions by semver.org 2.0.0. */
class SemanticVersionTest {
  /** Item 11's example, and what else tells orders apart; from the lowest to the highest. */
  private static final List<String> ORDERED =
      List.of(
          "0.0.0-0",
          "0.0.1",
          "0.9.9",
          "1.0.0-0",
          "1.0.0-2",
          "1.0.0-10",
          "1.0.0-10.a",
          "1.0.0-alpha",
          "1.0.0-alpha.1",
          "1.0.0-alpha.beta",
          "1.0.0-alpha-1",
          "1.0.0-beta",
          "1.0.0-beta.2",
          "1.0.0-beta.11",
          "1.0.0-rc.1",
          "1.0.0",
          "1.0.9",
          "1.0.10",
          "1.2.0",
          "1.10.0",
          "2.0.0-rc",
          "2.0.0",
          "10.0.0",
          "100000000000000000000.0.0");

  @Test
  void sortsByPrecedence() {
    for (int seed = 0; seed < 20; seed++) {
      List<String> shuffled = new ArrayList<>(ORDERED);
      Collections.shuffle(shuffled, new Random(seed));
      shuffled.sort(Comparator.comparing(SemanticVersionTest::key));
      assertThat(shuffled).isEqualTo(ORDERED);
    }
  }

  @Test
  void putsNumericIdentifiersBeforeOthers() {
    assertThat(key("1.0.0-99")).isLessThan(key("1.0.0--"));
    assertThat(key("1.0.0--")).isLessThan(key("1.0.0-A"));
  }

  @Test
  void givesNoPrecedenceToBuilds() {
    assertThat(key("1.2.3+5")).isEqualTo(key("1.2.3"));
    assertThat(of("1.2.3-a+5")).hasToString("1.2.3-a+5");
  }

  @Test
  void countsPatches() {
    assertThat(of("1.2.9").nextPatch()).hasToString("1.2.10");
    assertThat(of("1.2.3+b").nextPatch()).hasToString("1.2.4");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "01.2.3",
        "1.02.3",
        "1.2.3-",
        "1.2.3-01",
        "1.2.3-a..b",
        "v1.2.3",
        "1.2.3 ",
        "1.2.-3",
        "1.2.3+",
        "1.2.3-ä",
        "٢.0.0"
      })
  void knowsWhatIsNone(String text) {
    assertThat(SemanticVersion.parse(text)).isEmpty();
  }

  private static SemanticVersion of(String text) {
    return SemanticVersion.parse(text).orElseThrow();
  }

  private static String key(String text) {
    return of(text).key();
  }
}
