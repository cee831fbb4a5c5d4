package io.rapport.db;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Runs one command of the operating system to its end. */
final class Shell {
  private Shell() {}

  /** What a command answered. */
  record Answer(int status, String output) {
    boolean ok() {
      return status == 0;
    }
  }

  /** Runs {@code command}; its output goes through a file, which no left-over child keeps open. */
  static Answer run(List<String> command) {
    try {
      Path output = Files.createTempFile("rapport", ".out");
      try {
        int status = start(command, output).waitFor();
        return new Answer(status, Files.readString(output, StandardCharsets.UTF_8).strip());
      } finally {
        Files.delete(output);
      }
    } catch (IOException e) {
      throw new LocalPostgresException(
          "can't run " + command.getFirst() + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LocalPostgresException("interrupted while running " + command.getFirst(), e);
    }
  }

  private static Process start(List<String> command, Path output) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command);
    Map<String, String> environment = builder.environment();
    environment.keySet().removeIf(name -> name.startsWith("PG") || name.startsWith("LC_"));
    environment.put("LC_ALL", "C");
    environment.put("TZ", "UTC");
    return builder
        .directory(Path.of("/").toFile())
        .redirectErrorStream(true)
        .redirectOutput(output.toFile())
        .redirectInput(Path.of("/dev/null").toFile())
        .start();
  }
}
