package io.rapport.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TellingTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          a b c a | a b c a   | 0 | 0 | 0
          a b c a | a b c     | 1 | 0 | 0
          a b c   | a b c b   | 0 | 1 | 0
          a b c   | a b x c   | 0 | 1 | 0
          a b c   | b a c     | 0 | 0 | 1
          a b c   | c a b     | 0 | 0 | 2
          """)
  void countsWhatIsToldWrongly(String there, String told, int missed, int repeated, int reordered) {
    assertThat(Telling.of(items(there), items(told)))
        .isEqualTo(new Telling(missed, repeated, reordered));
  }

  private static List<String> items(String text) {
    return List.of(text.split(" "));
  }
}
