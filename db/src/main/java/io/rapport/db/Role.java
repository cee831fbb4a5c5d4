package io.rapport.db;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/** Who a connection acts as in the database. */
public enum Role {
  /** Serves requests, each bound to one tenant; owns and bypasses nothing. */
  SERVER("rapport_server", "5s"),
  /** Sweeps and fans out across tenants; owns and bypasses nothing. */
  SYSTEM("rapport_system", "30s"),
  /** Owns the schema and changes it. */
  MIGRATOR("rapport_migrator", "0");

  private final String sqlName;
  private final String statementTimeout;

  Role(String sqlName, String statementTimeout) {
    this.sqlName = sqlName;
    this.statementTimeout = statementTimeout;
  }

  /** The role's name in PostgreSQL. */
  public String sqlName() {
    return sqlName;
  }

  /** What a session of this role starts with. */
  SequencedMap<String, String> settings() {
    SequencedMap<String, String> settings = new LinkedHashMap<>();
    settings.put("client_connection_check_interval", "1s");
    if (this != MIGRATOR) {
      settings.put("statement_timeout", statementTimeout);
      settings.put("lock_timeout", "500ms");
      settings.put("idle_in_transaction_session_timeout", "10s");
    }
    return settings;
  }

  /** The start-up option by which another login becomes this role. */
  String startupOptions() {
    return settings().entrySet().stream()
        .map(Role::option)
        .collect(Collectors.joining(" ", "-c role=" + sqlName + " ", ""));
  }

  private static String option(Map.Entry<String, String> setting) {
    return "-c " + setting.getKey() + "=" + setting.getValue();
  }
}
