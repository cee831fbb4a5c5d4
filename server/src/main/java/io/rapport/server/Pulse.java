package io.rapport.server;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the database again and again whether it answers, by a connection of its own. So a database
 * that is silent can be told from a statement that takes long: when it has answered nothing for a
 * second, what waits for it is broken off, and what comes is refused at once until it answers.
 */
final class Pulse implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Pulse.class);
  private static final Duration PERIOD = Duration.ofMillis(250);
  private static final int PATIENCE_SECONDS = 1;

  private final DataSource source;
  private final List<Listener> listeners = new CopyOnWriteArrayList<>();
  private final Thread thread = Thread.ofPlatform().name("pulse").daemon().unstarted(this::run);
  private @Nullable Connection connection;
  private volatile long lastHeard = System.nanoTime();
  private volatile @Nullable SQLException silence;

  /** Learns when the database begins to answer, and when it no longer does. */
  interface Listener {
    void answers(boolean now);
  }

  /**
   * @param source gives connections, and gives up after a second
   */
  Pulse(DataSource source) {
    this.source = source;
  }

  void add(Listener listener) {
    listeners.add(listener);
  }

  void start() {
    thread.start();
  }

  boolean answers() {
    return silence == null;
  }

  /** Throws if the database doesn't answer. */
  void require() throws SQLException {
    SQLException cause = silence;
    if (cause != null) {
      throw new SQLTransientConnectionException(
          "the database doesn't answer", cause.getSQLState(), cause);
    }
  }

  /** Says that the database has answered somebody else. */
  void heard() {
    lastHeard = System.nanoTime();
  }

  private void run() {
    try {
      while (!Thread.interrupted()) {
        tell(ask());
        TimeUnit.MILLISECONDS.sleep(PERIOD.toMillis());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      disconnect();
    }
  }

  private void tell(@Nullable SQLException now) {
    boolean answered = answers();
    silence = now;
    if (answered != answers()) {
      log.info("the database {}", answered ? "doesn't answer" : "answers");
      listeners.forEach(listener -> tell(listener, !answered));
    }
  }

  private static void tell(Listener listener, boolean answers) {
    try {
      listener.answers(answers);
    } catch (RuntimeException e) {
      log.warn("a part of the server couldn't follow what the database does", e);
    }
  }

  /** Returns why there was no answer. A connection that is lost at once may be the only one. */
  private @Nullable SQLException ask() {
    long start = System.nanoTime();
    boolean connected = connection != null;
    SQLException failure = askOnce();
    boolean atOnce = System.nanoTime() - start < PERIOD.toNanos();
    if (failure != null && connected && atOnce) {
      failure = askOnce();
    }
    boolean answered = failure == null || isAnswer(failure) || lastHeard - start > 0;
    return answered ? null : failure;
  }

  /** A database that refuses is there: no room for a connection, or no such login any more. */
  private static boolean isAnswer(SQLException failure) {
    String state = String.valueOf(failure.getSQLState());
    return !PSQLState.isConnectionError(state) && !state.startsWith("57P");
  }

  private @Nullable SQLException askOnce() {
    try {
      if (connection == null) {
        connection = source.getConnection();
      }
      if (!connection.isValid(PATIENCE_SECONDS)) {
        throw new SQLException("no answer in time", PSQLState.CONNECTION_FAILURE.getState());
      }
      return null;
    } catch (SQLException e) {
      disconnect();
      return e;
    }
  }

  private void disconnect() {
    Connection old = connection;
    connection = null;
    if (old != null) {
      try {
        old.abort(Runnable::run);
      } catch (SQLException e) {
        log.debug("a connection can't be closed", e);
      }
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
