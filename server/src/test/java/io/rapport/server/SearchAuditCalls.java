package io.rapport.server;

import io.rapport.server.TenantIsolationTest.Call;
import java.util.List;
import java.util.stream.Stream;

/** Calls of the RPCs of search audits that tell a tenant of its own. */
final class SearchAuditCalls {
  private static final String PACKAGE = "rapport.search.v1.";

  private static final List<String> LINES =
      List.of("SearchAuditService/GetRecall ", "SearchAuditService/ListRecallAudits ");

  private SearchAuditCalls() {}

  static Stream<Call> all() {
    return LINES.stream().map(line -> TextCalls.call(PACKAGE, line));
  }
}
