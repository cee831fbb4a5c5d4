package io.rapport.db;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A running PostgreSQL server, as its lock file describes it. */
record Postmaster(long pid, int port, boolean ready) {
  private static final int PID_LINE = 0;
  private static final int PORT_LINE = 3;
  private static final int STATUS_LINE = 7;

  /** The server that wrote {@code lockFile}, if it lives. */
  static Optional<Postmaster> read(Path lockFile) throws IOException {
    List<String> lines;
    try {
      lines = Files.readAllLines(lockFile);
    } catch (NoSuchFileException stopped) {
      return Optional.empty();
    }
    if (lines.size() <= PORT_LINE) {
      return lines.isEmpty() || !lives(Long.parseLong(lines.getFirst().strip()))
          ? Optional.empty()
          : Optional.of(new Postmaster(Long.parseLong(lines.getFirst().strip()), 0, false));
    }
    long pid = Long.parseLong(lines.get(PID_LINE).strip());
    boolean ready = lines.size() > STATUS_LINE && lines.get(STATUS_LINE).strip().equals("ready");
    return lives(pid)
        ? Optional.of(new Postmaster(pid, Integer.parseInt(lines.get(PORT_LINE).strip()), ready))
        : Optional.empty();
  }

  /** Whether the process is there and is PostgreSQL: a dead one's number may be another's now. */
  private static boolean lives(long pid) {
    return ProcessHandle.of(pid)
        .filter(ProcessHandle::isAlive)
        .filter(process -> process.info().command().map(Postmaster::isPostgres).orElse(true))
        .isPresent();
  }

  private static boolean isPostgres(String command) {
    return command.contains("postgres") || command.contains("postmaster");
  }
}
