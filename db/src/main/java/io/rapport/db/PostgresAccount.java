package io.rapport.db;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The user of the operating system that PostgreSQL runs as: not root, which it refuses. */
record PostgresAccount(boolean switching) {
  private static final String USER = "postgres";

  static PostgresAccount current() {
    return new PostgresAccount("root".equals(System.getProperty("user.name")));
  }

  /** Runs a command as this account. */
  Shell.Answer run(List<String> command) {
    return Shell.run(command(command));
  }

  private List<String> command(List<String> command) {
    if (!switching) {
      return command;
    }
    List<String> whole = new ArrayList<>();
    if (Files.isExecutable(Path.of("/usr/bin/setpriv"))) {
      whole.addAll(
          List.of("/usr/bin/setpriv", "--reuid=" + USER, "--regid=" + USER, "--init-groups", "--"));
    } else {
      whole.addAll(List.of("runuser", "-u", USER, "--"));
    }
    whole.addAll(command);
    return whole;
  }

  boolean isNamed(String user) {
    return user.equals(USER);
  }

  /** Makes this account the owner of a file or directory. */
  void own(Path path) throws IOException {
    if (switching) {
      var users = FileSystems.getDefault().getUserPrincipalLookupService();
      Files.setOwner(path, users.lookupPrincipalByName(USER));
    }
  }

  /** Fails with one clear sentence if this account can't enter {@code directory}. */
  void requireAccess(Path directory) {
    if (!switching || canEnter(directory)) {
      return;
    }
    throw new LocalPostgresException(
        "PostgreSQL runs as the user %s, which can't enter %s; choose another --data"
            .formatted(USER, closed(directory)));
  }

  boolean canEnter(Path directory) {
    return !switching || run(List.of("test", "-x", directory.toString())).ok();
  }

  private Path closed(Path directory) {
    Path closed = directory;
    for (@Nullable Path above = directory; above != null; above = above.getParent()) {
      if (!canEnter(above)) {
        closed = above;
      }
    }
    return closed;
  }
}
