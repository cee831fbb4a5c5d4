package io.rapport.platform;

import io.grpc.Metadata;
import java.util.Locale;

/** What a call costs the database, counted for callers that ask. */
final class CallCost {
  /** {@code true}: the call's trailers are to say what it cost. */
  static final Metadata.Key<String> ASKED = CallTrailers.key("rapport-cost");

  /** How long its statements took, in milliseconds. */
  static final Metadata.Key<String> DATABASE_MS = CallTrailers.key("rapport-cost-db-ms");

  /** How many statements it sent. */
  static final Metadata.Key<String> STATEMENTS = CallTrailers.key("rapport-cost-statements");

  /** How many rows it read or changed. */
  static final Metadata.Key<String> ROWS = CallTrailers.key("rapport-cost-rows");

  /** How long it waited for connections, in milliseconds. */
  static final Metadata.Key<String> WAIT_MS = CallTrailers.key("rapport-cost-wait-ms");

  private static final double NANOS_PER_MILLI = 1e6;

  private long databaseNanos;
  private long waitNanos;
  private long statements;
  private long rows;

  static boolean isAsked(Metadata headers) {
    return "true".equals(headers.get(ASKED));
  }

  synchronized void addStatement(long nanos) {
    statements++;
    databaseNanos += nanos;
  }

  synchronized void addRows(long count) {
    rows += count;
  }

  synchronized void addWait(long nanos) {
    waitNanos += nanos;
  }

  synchronized void addTo(Metadata trailers) {
    trailers.put(DATABASE_MS, millis(databaseNanos));
    trailers.put(STATEMENTS, String.valueOf(statements));
    trailers.put(ROWS, String.valueOf(rows));
    trailers.put(WAIT_MS, millis(waitNanos));
  }

  private static String millis(long nanos) {
    return String.format(Locale.ROOT, "%.3f", nanos / NANOS_PER_MILLI);
  }
}
