package io.rapport.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class Java17Test {
  private static final Path JVMS = Path.of("/usr/lib/jvm");

  @Test
  void worksOnJava17() throws Exception {
    Optional<Path> java = java17();
    assumeTrue(java.isPresent(), "no Java 17 here: set JAVA17_HOME to try the SDK on it");

    Process program =
        new ProcessBuilder(
                java.orElseThrow().toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Java17.class.getName())
            .redirectErrorStream(true)
            .start();
    String output = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(program.waitFor()).as(output).isZero();
    assertThat(output).endsWith("used on Java 17\n");
  }

  private static Optional<Path> java17() throws IOException {
    List<Path> homes = new ArrayList<>();
    Optional.ofNullable(System.getenv("JAVA17_HOME")).map(Path::of).ifPresent(homes::add);
    if (Files.isDirectory(JVMS)) {
      try (DirectoryStream<Path> found = Files.newDirectoryStream(JVMS, "*17*")) {
        found.forEach(homes::add);
      }
    }
    return homes.stream().map(h -> h.resolve("bin/java")).filter(Files::isExecutable).findFirst();
  }
}
