package io.rapport.server;

import io.rapport.server.TenantIsolationTest.Call;
import java.util.List;
import java.util.stream.Stream;

/** Calls of the RPCs of lead times. */
final class LeadTimeCalls {
  private static final String PACKAGE = "rapport.delivery.v1.";

  private static final List<String> LINES =
      List.of(
          "DoraService/GetLeadTime filter { teams: '%P' }",
          "DoraService/GetLeadTimeForecast filter { teams: '%P' }");

  private LeadTimeCalls() {}

  static Stream<Call> all() {
    return LINES.stream().map(line -> TextCalls.call(PACKAGE, line));
  }
}
