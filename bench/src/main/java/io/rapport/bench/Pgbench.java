package io.rapport.bench;

import io.rapport.tracking.v1.Event;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** PostgreSQL's own load generator: each client does a transaction, and then the next. */
final class Pgbench {
  private static final Pattern TPS = Pattern.compile("(?m)^tps = ([0-9.]+)");
  private static final Pattern DONE =
      Pattern.compile("number of transactions actually processed: (\\d+)");
  private static final Pattern PLACE = Pattern.compile("//([^:/]+):(\\d+)/([^?]+)");
  private static final int SCRIPTS = 100;

  /** What a transaction inserts. */
  enum Rows {
    /** The event alone. */
    EVENT,
    /** Its id with the digest as well, in the same statement, as the service does. */
    EVENT_AND_ID
  }

  private final Site site;
  private final String program;
  private final List<String> scripts = new ArrayList<>();

  /** Of transactions that are taken at random. */
  Pgbench(Site site, String name, List<String> transactions) throws SQLException, IOException {
    this.site = site;
    this.program = site.setting("SELECT setting FROM pg_config WHERE name = 'BINDIR'") + "/pgbench";
    for (int i = 0; i < transactions.size(); i++) {
      Path script = site.directory().resolve("%s-%d.sql".formatted(name, i));
      Files.writeString(script, transactions.get(i));
      scripts.add(script.toString());
    }
  }

  /** Inserts real rows, spread over the tenants. */
  static Pgbench inserting(Site site, Samples samples, List<UUID> tenants, Rows rows)
      throws SQLException, IOException {
    List<Event> contents = samples.contents();
    List<String> inserts = new ArrayList<>();
    for (int i = 0; i < SCRIPTS; i++) {
      Event event = contents.get((int) ((long) i * contents.size() / SCRIPTS));
      inserts.add(sql(event, tenants.get(i % tenants.size()), rows));
    }
    return new Pgbench(site, rows + "-" + tenants.size(), inserts);
  }

  private static String sql(Event event, UUID tenant, Rows rows) {
    String values =
        "'%s', %%s, '%s', '%s', '%s', '%s', to_timestamp(%d), %d, to_timestamp(%d), now()"
            .formatted(
                tenant,
                UUID.nameUUIDFromBytes(event.getIdentity().getSubjectBytes().toByteArray()),
                event.getEventType(),
                quoted(event.getDataJson().toStringUtf8()),
                quoted(event.getText()),
                event.getOccurredAt().getSeconds(),
                event.getUtcOffsetMinutes(),
                event.getReceivedAt().getSeconds());
    String insert =
        "INSERT INTO tracking.behavioral_events (tenant_id, id, user_id, event_type, event_data,"
            + " event_text, occurred_at, utc_offset_minutes, received_at, recorded_at) ";
    return switch (rows) {
      case EVENT -> insert + "VALUES (" + values.replace("%s", "gen_random_uuid()") + ");\n";
      case EVENT_AND_ID ->
          "WITH i AS (INSERT INTO tracking.event_ids (tenant_id, event_id, digest, recorded_at)"
              + " VALUES ('%s', gen_random_uuid(), '\\x%s', now()) RETURNING event_id) "
                  .formatted(tenant, "5a".repeat(32))
              + insert
              + "SELECT "
              + values.replace("%s", "event_id")
              + " FROM i;\n";
    };
  }

  /** On one line, without what pgbench would take for a variable. */
  private static String quoted(String text) {
    return text.replace("'", "''").replaceAll("[\\n\\r\\\\%]", " ").replaceAll(":(?=\\w)", ": ");
  }

  /** Transactions of so many clients. */
  Run run(int clients, Duration span) throws Exception {
    site.empty();
    StringBuilder output = new StringBuilder();
    Run whole =
        Run.of(
            site,
            () -> {
              output.append(output(command(clients, span)));
              return Long.parseLong(found(DONE, output));
            });
    double tps = Double.parseDouble(found(TPS, output));
    return new Run(whole.events(), whole.events() / tps, whole.cpu());
  }

  private ProcessBuilder command(int clients, Duration span) {
    Matcher place = PLACE.matcher(site.database().jdbcUrl());
    if (!place.find()) {
      throw new IllegalStateException("no place of a database");
    }
    List<String> command = new ArrayList<>();
    command.addAll(List.of(program, "-n", "-M", "prepared", "-j", "2"));
    command.addAll(List.of("-c", String.valueOf(clients), "-T", String.valueOf(span.toSeconds())));
    command.addAll(List.of("-h", place.group(1), "-p", place.group(2)));
    command.addAll(List.of("-U", site.database().user()));
    scripts.forEach(script -> command.addAll(List.of("-f", script)));
    command.add(place.group(3));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("PGPASSWORD", site.database().password());
    return builder;
  }

  private static String output(ProcessBuilder command) throws Exception {
    try (Child child = Child.start(command)) {
      String output =
          new String(child.process().getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (child.process().waitFor() != 0) {
        throw new IOException("pgbench failed: " + output);
      }
      return output;
    }
  }

  private static String found(Pattern pattern, CharSequence output) throws IOException {
    Matcher matcher = pattern.matcher(output);
    if (!matcher.find()) {
      throw new IOException(String.format(Locale.ROOT, "pgbench said: %s", output));
    }
    return matcher.group(1);
  }
}
