package io.rapport.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

final class BenchTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          nonsense                     | there is no "nonsense"; there are ingest_stream, ingest_dups, track_unary, sdk_overhead, watch_lag, resource, start, cache_hot, cache_cold, cache_zipf, quality_assessment, prediction_log, search_qps, search_narrow, search_tenants_10, search_tenants_1000
          --rows x                     | Invalid value for option '--rows': 'x' is not an int
          --rows 0                     | --rows must be 1 or more: 0
          --pairs -2                   | --pairs must be 1 or more: -2
          --data /nowhere/at/all start | no such file: /nowhere/at/all
          """)
  void saysInOneLineWhatIsWrong(String arguments, String line) {
    StringWriter err = new StringWriter();
    CommandLine command = Bench.commandLine().setErr(new PrintWriter(err));

    assertThat(command.execute(arguments.split(" "))).isEqualTo(2);
    assertThat(err.toString()).isEqualTo("bench: " + line + "\n");
  }
}
