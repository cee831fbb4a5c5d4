package io.rapport.db;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command {@code bin/db}: shows and changes the schema. */
@Command(
    name = "bin/db",
    description = "Shows and changes the schema of the database.",
    mixinStandardHelpOptions = true)
public final class DbCommand {
  @Spec private @Nullable CommandSpec spec;

  private DbCommand() {}

  /** Exits with 0 if it was done, 1 if it was refused or failed, 2 if it was not understood. */
  public static void main(String[] arguments) {
    System.setProperty("logback.configurationFile", "io/rapport/db/logback.xml");
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    return CommandLines.of("rapport", new DbCommand());
  }

  /** Which database is meant. */
  static final class Place {
    @Option(
        names = "--url",
        paramLabel = "URL",
        defaultValue = "${env:RAPPORT_DATABASE_URL}",
        description = "The database; without it, a local one under --data.")
    private @Nullable String url;

    @Option(names = "--data", paramLabel = "DIR", description = "Where the local database is kept.")
    private @Nullable Path data;

    @Option(names = "--dry-run", description = "Print the SQL and change nothing.")
    private boolean dryRun;

    /** Runs {@code action} on it; a local server that runs for nobody else is stopped again. */
    private <T> T use(Function<Migrations, T> action) {
      return open(database -> action.apply(Migrations.of(database)));
    }

    private <T> T open(Function<Database, T> action) {
      if (data == null && url != null && !url.isEmpty()) {
        return action.apply(Database.parse(url));
      }
      try (LocalPostgres postgres = LocalPostgres.open(directory())) {
        Runtime.getRuntime().addShutdownHook(new Thread(postgres::close, "stop-postgres"));
        return action.apply(postgres.database());
      }
    }

    private boolean absent() {
      return (data != null || url == null || url.isEmpty()) && !LocalPostgres.exists(directory());
    }

    private Path directory() {
      return data != null
          ? data
          : LocalPostgres.defaultDirectory(Path.of(System.getProperty("rapport.checkout", "")));
    }
  }

  @Command(
      name = "migrate",
      description = "Brings the schema to the newest version.",
      mixinStandardHelpOptions = true)
  void migrate(@Mixin Place place) {
    if (place.dryRun) {
      List<Script> scripts = place.absent() ? Migrations.scripts() : place.use(Migrations::pending);
      scripts.forEach(this::print);
      say(
          "would migrate to %d (%d to apply)"
              .formatted(Migrations.schemaVersion(), scripts.size()));
      return;
    }
    Migrations.Outcome outcome =
        place.use(migrations -> migrations.migrate(script -> say("applying " + script.file())));
    say("migrated to %d (%d applied)".formatted(outcome.version(), outcome.files()));
  }

  @Command(
      name = "info",
      description = "Lists the versions of the schema.",
      mixinStandardHelpOptions = true)
  void info(@Mixin Place place) {
    List<Migrations.Version> versions = place.use(Migrations::info);
    for (Migrations.Version version : versions) {
      Script script = version.script();
      out().printf("%4d  %-40s  %s%n", script.version(), script.description(), version.state());
    }
    long applied = versions.stream().filter(version -> !version.isPending()).count();
    say("%d of %d applied".formatted(applied, versions.size()));
  }

  @Command(
      name = "validate",
      description = "Checks that the schema is the one of this build.",
      mixinStandardHelpOptions = true)
  void validate(@Mixin Place place) {
    say("valid at %d".formatted(place.use(Migrations::validate)));
  }

  /** How far back. */
  static final class HowFar {
    @Option(
        names = "--to",
        paramLabel = "V",
        description = "Take back all that is newer than version V.")
    private @Nullable Integer to;

    @Option(
        names = "--count",
        paramLabel = "N",
        description = "Take back the newest N versions; 1 by default.")
    private @Nullable Integer count;

    private RollbackTarget target(CommandLine line) {
      try {
        return target();
      } catch (IllegalArgumentException e) {
        throw new ParameterException(line, e.getMessage(), e);
      }
    }

    private RollbackTarget target() {
      return to != null
          ? new RollbackTarget.To(to)
          : new RollbackTarget.Count(count == null ? 1 : count);
    }
  }

  @Command(
      name = "rollback",
      description = "Takes the newest versions of the schema back, with their data.",
      mixinStandardHelpOptions = true)
  void rollback(@Mixin Place place, @ArgGroup(exclusive = true) @Nullable HowFar howFar) {
    RollbackTarget target = howFar == null ? new RollbackTarget.Count(1) : howFar.target(line());
    if (place.dryRun) {
      List<Script> scripts =
          place.absent() ? List.of() : place.use(migrations -> migrations.rollbackScripts(target));
      scripts.forEach(this::print);
      say("would roll %d back".formatted(scripts.size()));
      return;
    }
    Migrations.Outcome outcome = place.use(migrations -> migrations.rollback(target, this::print));
    say("rolled back to %d (%d taken back)".formatted(outcome.version(), outcome.files()));
  }

  @Command(
      name = "seed",
      description = {
        "Adds the reference data that is not there: workflow steps, levels and types of issues of"
            + " each tenant, and the benchmarks that all share.",
        "What is there stays as it is."
      },
      mixinStandardHelpOptions = true)
  void seed(
      @Mixin Place place,
      @Option(
              names = "--tenant",
              paramLabel = "UUID",
              description = "For this tenant only; without it, for all.")
          @Nullable UUID tenant) {
    if (place.dryRun) {
      ReferenceData.scripts().forEach(this::print);
      say("would add what is not there of the above");
      return;
    }
    ReferenceData.Outcome added = place.open(login -> new ReferenceData(login).load(tenant));
    say(
        "added %d shared rows, and %d rows of %d tenant(s)"
            .formatted(added.shared(), added.ofTenants(), added.tenants()));
  }

  @Command(
      name = "reindex",
      description = {
        "Builds the indexes of vectors anew, one at a time, while they serve; needed when the",
        "service tells that searches find too little (search_recall)."
      },
      mixinStandardHelpOptions = true)
  void reindex(
      @Mixin Place place,
      @Option(
              names = "--kind",
              paramLabel = "KIND",
              defaultValue = "",
              description = "Only that of a kind, such as delivery.issue.")
          String kind,
      @Option(
              names = "--memory",
              paramLabel = "MB",
              defaultValue = "1024",
              description = "How much memory a build may take: ${DEFAULT-VALUE} MB.")
          int memory) {
    int built =
        place.open(
            database -> new SearchIndexes(database, this::say).reindex(kind, memory, place.dryRun));
    say((place.dryRun ? "would build %d anew" : "built %d anew").formatted(built));
  }

  private void print(Script script) {
    out().println("-- " + script.file());
    out().println(script.sql().strip());
    out().println();
  }

  private void say(String what) {
    out().println("rapport: " + what);
    out().flush();
  }

  private PrintWriter out() {
    return line().getOut();
  }

  private CommandLine line() {
    if (spec == null) {
      throw new IllegalStateException("not run by a command line");
    }
    return spec.commandLine();
  }
}
