package io.rapport.platform;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.protobuf.StatusProto;
import io.rapport.platform.v1.ErrorReason;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.SQLWarning;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/** The one place where an exception becomes what the caller is told. */
public final class Failures {
  private static final Logger log = LoggerFactory.getLogger(Failures.class);
  private static final Set<String> CONFLICTS = Set.of("40001", "40P01", "55P03");

  /** A wait that was cancelled has no state of its own but that of any warning. */
  private static final Set<String> NOT_REPLICATED = Set.of("01000", "57014", "57P01");

  private static final String REPLICATED = "replicated";
  private static final Duration SOON = Duration.ofMillis(250);
  private static final Duration LATER = Duration.ofSeconds(1);

  private Failures() {}

  /** The status and trailers that end a call. */
  record Closing(Status status, Metadata trailers) {
    static Closing of(ServiceException failure) {
      var sent = StatusProto.toStatusException(failure.toStatus());
      Metadata trailers = sent.getTrailers();
      return new Closing(sent.getStatus(), trailers == null ? new Metadata() : trailers);
    }
  }

  /** What the caller is told of {@code thrown}. Logs what is a fault of the service. */
  public static ServiceException of(Throwable thrown) {
    if (thrown instanceof ServiceException known) {
      return known;
    }
    SQLException sql = sqlCause(thrown);
    ServiceException told = sql == null ? null : ofSql(sql);
    return told == null ? internal(thrown) : told;
  }

  /** Whether the statement that failed may have been done all the same. */
  public static boolean outcomeUnknown(Throwable thrown) {
    SQLException sql = sqlCause(thrown);
    return sql != null
        && !(sql instanceof SQLTransientConnectionException)
        && isConnectionLoss(String.valueOf(sql.getSQLState()));
  }

  /** Whether the fault lies in the data that was written, so that other data may be written. */
  public static boolean isOfData(Throwable thrown) {
    SQLException sql = sqlCause(thrown);
    String state = sql == null ? "" : String.valueOf(sql.getSQLState());
    boolean noPartition = state.equals("23514") && constraint(sql) == null;
    return !noPartition
        && (state.startsWith("22") || state.startsWith("23") || state.startsWith("54"));
  }

  /** Whether another transaction was in the way: nothing was done, and it may be tried again. */
  public static boolean isConflict(Throwable thrown) {
    SQLException sql = sqlCause(thrown);
    return sql != null && CONFLICTS.contains(String.valueOf(sql.getSQLState()));
  }

  private static @Nullable String constraint(@Nullable SQLException sql) {
    ServerErrorMessage message =
        sql instanceof PSQLException postgres ? postgres.getServerErrorMessage() : null;
    return message == null ? null : message.getConstraint();
  }

  /**
   * Throws if a commit was broken off while it waited for a replica. PostgreSQL has then committed
   * and says so by a warning alone, but the commit may be lost with this machine.
   */
  static void requireSureCommit(@Nullable SQLWarning warnings) {
    for (SQLWarning warning = warnings; warning != null; warning = warning.getNextWarning()) {
      String state = String.valueOf(warning.getSQLState());
      if (NOT_REPLICATED.contains(state)) {
        throw unreplicated();
      }
    }
  }

  /** The outcome of a write whose connection broke after it was sent. */
  public static ServiceException unknownOutcome() {
    return ServiceException.of(
        Code.UNKNOWN,
        ErrorReason.COMMIT_OUTCOME_UNKNOWN,
        "the connection to the database broke while the write was under way; "
            + "it may have been done: repeat it with the same id");
  }

  /** That of a write which is done here, but maybe nowhere else. */
  private static ServiceException unreplicated() {
    return ServiceException.of(
            Code.UNKNOWN,
            ErrorReason.COMMIT_OUTCOME_UNKNOWN,
            "the write is done, but was cancelled before a replica had it; it may be lost with "
                + "this database: repeat it with the same id")
        .with(REPLICATED, "false");
  }

  /** Whether asking again may tell the outcome: what is missing on a replica, it can't. */
  static boolean mayBecomeKnown(ServiceException failure) {
    return failure.reason() == ErrorReason.COMMIT_OUTCOME_UNKNOWN
        && !failure.metadata().containsKey(REPLICATED);
  }

  /** Whether it was never found out what the request comes to, so that all is as it was before. */
  static boolean tellsNothing(ServiceException failure) {
    return switch (failure.code()) {
      case UNAVAILABLE, DEADLINE_EXCEEDED, ABORTED, RESOURCE_EXHAUSTED -> true;
      default -> false;
    };
  }

  private static @Nullable SQLException sqlCause(Throwable thrown) {
    for (Throwable t = thrown; t != null; t = t.getCause()) {
      if (t instanceof SQLException sql) {
        return sql;
      }
    }
    return null;
  }

  private static @Nullable ServiceException ofSql(SQLException e) {
    if (e instanceof SQLTransientConnectionException) {
      return noConnection(e);
    }
    String state = String.valueOf(e.getSQLState());
    if (isConnectionLoss(state) || state.equals("25006")) {
      return databaseGone();
    }
    return switch (state) {
      // the second: a cancelled query of the driver's own, which it passed over
      case "57014", "25P02" -> deadlinePassed();
      case "40001", "40P01" ->
          ServiceException.of(
              Code.ABORTED, ErrorReason.TX_CONFLICT, "another transaction was in the way; repeat");
      case "55P03" ->
          ServiceException.of(
              Code.ABORTED, ErrorReason.LOCK_TIMEOUT, "a row was locked for too long; repeat");
      case "53100", "53200" ->
          ServiceException.of(
              Code.RESOURCE_EXHAUSTED, ErrorReason.STORAGE_FULL, "the database has no room");
      case "53300" -> saturated();
      case "XX001", "XX002" -> corrupt(e);
      default -> null;
    };
  }

  private static boolean isConnectionLoss(String state) {
    return state.startsWith("08") || state.startsWith("57P");
  }

  static ServiceException deadlinePassed() {
    return ServiceException.of(
        Code.DEADLINE_EXCEEDED,
        ErrorReason.DEADLINE_PASSED,
        "the call's time was over before its work was done");
  }

  private static ServiceException noConnection(SQLException e) {
    boolean databaseAnswers = e.getCause() == null;
    return databaseAnswers ? saturated() : databaseGone();
  }

  static ServiceException saturated() {
    return ServiceException.unavailable(
        ErrorReason.DB_SATURATED, "all database connections are in use", SOON);
  }

  private static ServiceException databaseGone() {
    return ServiceException.unavailable(
        ErrorReason.DB_UNAVAILABLE, "the database can't be reached", LATER);
  }

  private static ServiceException corrupt(SQLException e) {
    log.error("the database reports damaged data, SQLSTATE {}", e.getSQLState(), e);
    return ServiceException.of(
        Code.DATA_LOSS, ErrorReason.STORAGE_CORRUPT, "the database reports damaged data");
  }

  private static ServiceException internal(Throwable thrown) {
    String incident = Ids.random().toString();
    CallInfo call = CallInfo.current();
    LoggingEventBuilder line = log.atError().setCause(thrown);
    (call == null ? line : call.describe(line)).log("incident {}", incident);
    return ServiceException.of(
            Code.INTERNAL, ErrorReason.INTERNAL, "a fault of the service; incident " + incident)
        .with("incident", incident);
  }
}
