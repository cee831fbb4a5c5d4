package io.rapport.db;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class DbCommandTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          nonsense                | 2 | Unmatched argument at index 0: 'nonsense'
          info --nonsense         | 2 | Unknown option: '--nonsense'
          info --data             | 2 | Missing required parameter for option '--data' (DIR)
          rollback --to x         | 2 | Invalid value for option '--to': 'x' is not an int
          rollback --count -1     | 2 | how far back must not be negative: -1
          rollback --to 1 --count 1 | 2 | --to=V, --count=N are mutually exclusive (specify only one)
          info --url mysql://x    | 1 | a database URL starts with postgresql:// or jdbc:postgresql://
          """)
  void saysInOneLineWhatIsWrong(String arguments, int status, String line) {
    StringWriter err = new StringWriter();
    CommandLine command = DbCommand.commandLine().setErr(new PrintWriter(err));

    assertThat(command.execute(arguments.split(" "))).isEqualTo(status);
    assertThat(err.toString()).endsWith(line + "\n").startsWith("rapport: ").hasLineCount(1);
  }
}
