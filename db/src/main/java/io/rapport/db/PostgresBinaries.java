package io.rapport.db;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The programs of an installed PostgreSQL server. */
record PostgresBinaries(Path directory, int major) {
  private static final int OLDEST = 15;
  private static final Pattern VERSION = Pattern.compile("PostgreSQL\\) (\\d+)");
  private static final List<String> PLACES =
      List.of(
          "/usr/lib/postgresql/*/bin",
          "/usr/pgsql-*/bin",
          "/opt/homebrew/opt/postgresql@*/bin",
          "/usr/local/opt/postgresql@*/bin",
          "/opt/homebrew/bin",
          "/usr/local/pgsql/bin",
          "/usr/local/bin",
          "/usr/bin");

  /** The named ones ({@code RAPPORT_POSTGRES_BIN}), else the newest that this machine has. */
  static PostgresBinaries find(Map<String, String> environment) {
    String named = environment.getOrDefault("RAPPORT_POSTGRES_BIN", "");
    if (!named.isEmpty()) {
      return at(Path.of(named))
          .orElseThrow(() ->
              new LocalPostgresException(
                  "RAPPORT_POSTGRES_BIN names %s, which has no PostgreSQL %d or newer"
                      .formatted(named, OLDEST)));
    }
    return Stream.concat(onPath(environment), PLACES.stream().flatMap(PostgresBinaries::matching))
        .flatMap(place -> at(place).stream())
        .max(Comparator.comparingInt(PostgresBinaries::major))
        .orElseThrow(() ->
            new LocalPostgresException(
                "no PostgreSQL %d or newer is installed; install its server (Debian: postgresql)"
                        .formatted(OLDEST)
                    + ", or name its programs' directory in RAPPORT_POSTGRES_BIN"));
  }

  private static Stream<Path> onPath(Map<String, String> environment) {
    return Stream.of(environment.getOrDefault("PATH", "").split(":", -1))
        .filter(place -> place.startsWith("/"))
        .map(Path::of);
  }

  private static Stream<Path> matching(String pattern) {
    int star = pattern.indexOf('*');
    if (star < 0) {
      return Stream.of(Path.of(pattern));
    }
    int slash = pattern.lastIndexOf('/', star);
    int end = pattern.indexOf('/', star);
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> children =
        Files.newDirectoryStream(
            Path.of(pattern.substring(0, slash)), pattern.substring(slash + 1, end))) {
      children.forEach(child -> found.add(child.resolve(pattern.substring(end + 1))));
    } catch (IOException absent) {
      return Stream.empty();
    }
    return found.stream();
  }

  private static Optional<PostgresBinaries> at(Path place) {
    boolean complete =
        Stream.of("initdb", "pg_ctl", "postgres")
            .allMatch(program -> Files.isExecutable(place.resolve(program)));
    return complete ? versioned(behindLinks(place)) : Optional.empty();
  }

  /** Where the programs really are: some only are linked from the usual places. */
  private static Path behindLinks(Path place) {
    try {
      Path real = place.resolve("postgres").toRealPath().getParent();
      return real == null ? place : real;
    } catch (IOException unreadable) {
      return place;
    }
  }

  private static Optional<PostgresBinaries> versioned(Path directory) {
    String version =
        Shell.run(List.of(directory.resolve("postgres").toString(), "--version")).output();
    Matcher matcher = VERSION.matcher(version);
    return matcher.find() && Integer.parseInt(matcher.group(1)) >= OLDEST
        ? Optional.of(new PostgresBinaries(directory, Integer.parseInt(matcher.group(1))))
        : Optional.empty();
  }

  String program(String name) {
    return directory.resolve(name).toString();
  }
}
