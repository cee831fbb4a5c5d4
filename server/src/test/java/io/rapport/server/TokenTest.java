package io.rapport.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class TokenTest {
  private static final String TENANT = "--tenant 7b0f5c1e-7f0c-4a37-9d5e-0a4c9d0d6a01";

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --tenant zzz          | 2 | Invalid value for option '--tenant': 'zzz' is not a UUID
          --tenant 1-1-1-1-1    | 2 | Invalid value for option '--tenant': '1-1-1-1-1' is not a UUID
          --subject ada         | 2 | Missing required option: '--tenant=UUID'
          TENANT --hours x      | 2 | Invalid value for option '--hours': 'x' is not an int
          TENANT --hours 0      | 2 | --hours must be 1 or more: 0
          TENANT more           | 2 | Unmatched argument at index 2: 'more'
          TENANT --data /dev/null/x | 1 | no key can be kept in /dev/null/x (/dev/null/x: Not a directory)
          """)
  void saysInOneLineWhatIsWrong(String arguments, int status, String line) {
    StringWriter err = new StringWriter();
    CommandLine command = Token.commandLine().setErr(new PrintWriter(err));

    assertThat(command.execute(arguments.replace("TENANT", TENANT).split(" "))).isEqualTo(status);
    assertThat(err.toString()).endsWith(line + "\n").startsWith("rapport: ").hasLineCount(1);
  }
}
