package io.rapport.server;

import io.rapport.server.TenantIsolationTest.Call;
import java.util.List;
import java.util.stream.Stream;

/** Calls of the RPCs of searches. */
final class SearchCalls {
  private static final String PACKAGE = "rapport.search.v1.";

  private static final List<String> LINES =
      List.of(
          "SearchService/Search stored { kind: 'identity.user' id: '%U' }",
          "SearchService/BatchSearch searches { words { words: '%S' } }",
          "SearchService/CountMatches words: '%S'");

  private SearchCalls() {}

  static Stream<Call> all() {
    return LINES.stream().map(line -> TextCalls.call(PACKAGE, line));
  }
}
