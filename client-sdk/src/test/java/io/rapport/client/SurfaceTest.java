package io.rapport.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Nobody changes what applications are compiled against without saying so in surface.txt. */
final class SurfaceTest {
  private static final Path LISTING = Path.of("src/test/resources/io/rapport/client/surface.txt");
  private static final String REWRITE =
      "mvn -pl proto,client-sdk test -Dtest=SurfaceTest -Dsurefire.failIfNoSpecifiedTests=false"
          + " -Dsurface.rewrite=true";

  @Test
  void isTheOneThatIsWrittenDown() throws Exception {
    List<String> now = Surface.read();
    assertThat(now).hasSizeGreaterThan(100);
    if (Boolean.getBoolean("surface.rewrite")) {
      Files.write(LISTING, now);
    }
    List<String> writtenDown = Files.readAllLines(LISTING);

    assertThat(now).withFailMessage(() -> difference(writtenDown, now)).isEqualTo(writtenDown);
  }

  private static String difference(List<String> before, List<String> now) {
    return """
    The SDK's public surface is not the one in client-sdk/%s.
    Removed (if it was ever released, this breaks callers; deprecate it instead):
    %sAdded (once released, it must stay):
    %sIf it is meant so, rewrite the listing and commit it:
      %s
    """
        .formatted(LISTING, beyond(now, before), beyond(before, now), REWRITE);
  }

  private static String beyond(List<String> known, List<String> lines) {
    List<String> others = new ArrayList<>(lines);
    others.removeAll(known);
    StringBuilder text = new StringBuilder();
    others.forEach(line -> text.append("  ").append(line.strip()).append('\n'));
    return text.isEmpty() ? "  nothing\n" : text.toString();
  }
}
