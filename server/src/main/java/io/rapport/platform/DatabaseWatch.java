package io.rapport.platform;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Locale;
import java.util.Set;
import org.jooq.tools.jdbc.DefaultResultSet;
import org.jspecify.annotations.Nullable;

/** Follows what a call does in the database, for its caller or a trace; else measures nothing. */
final class DatabaseWatch {
  static final DatabaseWatch NONE = new DatabaseWatch(Trace.NONE, null);

  /** What a statement may be called in a trace; its text says too much. */
  private static final Set<String> KINDS =
      Set.of("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "COPY", "LOCK", "SET");

  private final Trace trace;
  private final @Nullable CallCost cost;

  /** Something that takes time. */
  interface Step<T> {
    T take() throws SQLException;
  }

  private DatabaseWatch(Trace trace, @Nullable CallCost cost) {
    this.trace = trace;
    this.cost = cost;
  }

  static DatabaseWatch of(Trace trace, @Nullable CallCost cost) {
    return trace.isRecording() || cost != null ? new DatabaseWatch(trace, cost) : NONE;
  }

  /** That of the call for which this thread works. */
  static DatabaseWatch current() {
    CallInfo call = CallInfo.current();
    return call == null ? NONE : call.database();
  }

  /** A use of the database, from the wait for a connection on. */
  <T> T use(String kind, Step<T> step) throws SQLException {
    return trace.isRecording() ? traced("database " + kind, SpanKind.INTERNAL, step) : step.take();
  }

  <T> T waitForConnection(Step<T> step) throws SQLException {
    if (this == NONE) {
      return step.take();
    }
    long start = System.nanoTime();
    try {
      return traced("connection", SpanKind.INTERNAL, step);
    } finally {
      if (cost != null) {
        cost.addWait(System.nanoTime() - start);
      }
    }
  }

  <T> T statement(String sql, Step<T> step) throws SQLException {
    if (this == NONE) {
      return step.take();
    }
    long start = System.nanoTime();
    try {
      return traced(kind(sql), SpanKind.CLIENT, step);
    } finally {
      if (cost != null) {
        cost.addStatement(System.nanoTime() - start);
      }
    }
  }

  private <T> T traced(String name, SpanKind kind, Step<T> step) throws SQLException {
    Span span = trace.begin(name, kind);
    boolean done = false;
    try {
      T result = step.take();
      done = true;
      return result;
    } finally {
      Trace.end(span, done);
    }
  }

  private static String kind(String sql) {
    String text = sql.stripLeading();
    int end = 0;
    while (end < text.length() && Character.isLetter(text.charAt(end))) {
      end++;
    }
    String word = text.substring(0, end).toUpperCase(Locale.ROOT);
    return KINDS.contains(word) || word.equals("COMMIT") ? word : "statement";
  }

  int rows(int count) {
    if (cost != null && count > 0) {
      cost.addRows(count);
    }
    return count;
  }

  @Nullable ResultSet rows(@Nullable ResultSet rows) throws SQLException {
    if (cost == null || rows == null) {
      return rows;
    }
    return new DefaultResultSet(rows, rows.getStatement()) {
      @Override
      public boolean next() throws SQLException {
        boolean found = super.next();
        cost.addRows(found ? 1 : 0);
        return found;
      }
    };
  }
}
