package io.rapport.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.LocalDate;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

final class FaultsTest {
  private static final LocalDate DAY = LocalDate.of(2026, 5, 4);

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          P1 nonsense | there is no "nonsense"; there are P1,
          --seed x    | Invalid value for option '--seed': 'x' is not a long
          """)
  void saysInOneLineWhatIsWrong(String arguments, String beginning) {
    StringWriter err = new StringWriter();
    CommandLine command = Faults.commandLine().setErr(new PrintWriter(err));

    assertThat(command.execute(arguments.split(" "))).isEqualTo(2);
    assertThat(err.toString()).startsWith("faults: " + beginning).containsOnlyOnce("\n");
  }

  @Test
  void saysWhetherAVerdictIsAsItShouldBe() {
    assertThat(Verdict.of("P1").with("lost_acked", 0).met(true).line())
        .isEqualTo("RELIABILITY id=P1 lost_acked=0 met=yes");
    assertThat(Verdict.of("P1").with("lost_acked", 7).failed(true).line())
        .isEqualTo("RELIABILITY id=P1 control=yes lost_acked=7 failed_as_expected=yes");
  }

  @Test
  void replacesOnlyTheRowsOfWhatWasTested() {
    String before =
        """
        # Results
        <!-- results -->
        | P1 | promise | old=1 | yes | then |
        | P5 | promise | other=1 | yes | then |
        <!-- end of results -->
        The end.
        """;

    String after =
        ResultTable.replaced(
            before, new Run(4, true), List.of(Verdict.of("P1").with("new", 2).met(false)), DAY);

    assertThat(after)
        .startsWith("# Results\n<!-- results -->")
        .contains("| P1 | promise | new=2 | **no** | 2026-05-04, seed 4, quick |\n| P5 |")
        .doesNotContain("old=1")
        .endsWith("<!-- end of results -->\nThe end.\n");
  }

  @Test
  void refusesADocumentWithoutAPlaceForResults() {
    assertThatThrownBy(() -> ResultTable.replaced("", new Run(4, true), List.of(), DAY))
        .hasMessage("the document has no place for results");
  }
}
