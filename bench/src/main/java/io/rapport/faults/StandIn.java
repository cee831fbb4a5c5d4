package io.rapport.faults;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.Map;

/** A service with a fault in how it treats request ids, of the kind that others have had. */
final class StandIn implements NamedWrites {
  /** What is wrong with it. */
  enum Fault {
    /** The id is remembered only when the work is done. */
    REMEMBERS_AFTER_THE_WORK,
    /** The id is reserved by a commit of its own, which outlives who made it. */
    RESERVES_FOR_EVER,
    /** Whatever comes under an id that it knows gets the first answer. */
    COMPARES_NOTHING
  }

  private static final String IN_PROGRESS = "in progress";

  private final Victim victim;
  private final Fault fault;

  /** Whether the process ends, like one that is killed, before the work is done. */
  private volatile boolean dying;

  StandIn(Victim victim, Fault fault) throws SQLException {
    this.victim = victim;
    this.fault = fault;
    victim.execute("DROP TABLE IF EXISTS public.known_ids, public.effects");
    victim.execute("CREATE TABLE public.known_ids (id text PRIMARY KEY, answer text)");
    victim.execute(
        "CREATE TABLE public.effects (key text, id bigint GENERATED ALWAYS AS IDENTITY)");
  }

  void die(boolean now) {
    dying = now;
  }

  @Override
  public void prepare(Collection<String> keys) {
    // its writes need nothing
  }

  @Override
  public Told call(String requestId, String key) {
    try (Connection connection = victim.connect()) {
      String known =
          text(connection, "SELECT answer FROM public.known_ids WHERE id = ?", requestId);
      if (!known.isEmpty()) {
        return new Told(!known.equals(IN_PROGRESS), known);
      }
      if (fault == Fault.RESERVES_FOR_EVER) {
        remember(connection, requestId, IN_PROGRESS);
        if (dying) {
          return new Told(false, "died");
        }
      }
      String answer =
          key + text(connection, "INSERT INTO public.effects VALUES (?) RETURNING id", key);
      remember(connection, requestId, answer);
      return new Told(true, answer);
    } catch (SQLException e) {
      return new Told(false, e.toString());
    }
  }

  private static void remember(Connection connection, String id, String answer)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            INSERT INTO public.known_ids VALUES (?, ?)
            ON CONFLICT (id) DO UPDATE SET answer = excluded.answer
            """)) {
      statement.setString(1, id);
      statement.setString(2, answer);
      statement.executeUpdate();
    }
  }

  private static String text(Connection connection, String sql, String value) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, value);
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? String.valueOf(rows.getString(1)) : "";
      }
    }
  }

  @Override
  public Map<String, Integer> effects() throws SQLException {
    return victim.counts("SELECT key FROM public.effects");
  }

  @Override
  public void close() {
    // the tables go with the cluster
  }
}
