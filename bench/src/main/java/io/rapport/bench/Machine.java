package io.rapport.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Says what this machine is. */
final class Machine {
  private static final String MODEL = "model name";

  private Machine() {}

  static String describe() throws IOException {
    int cores = Runtime.getRuntime().availableProcessors();
    Path info = Path.of("/proc/cpuinfo");
    if (!Files.exists(info)) {
      return cores + " cores of " + System.getProperty("os.arch");
    }
    try (Stream<String> lines = Files.lines(info)) {
      String model =
          lines
              .filter(line -> line.startsWith(MODEL))
              .map(line -> line.substring(line.indexOf(':') + 1).strip())
              .findFirst()
              .orElse(System.getProperty("os.arch"));
      return cores + " cores of " + model;
    }
  }
}
