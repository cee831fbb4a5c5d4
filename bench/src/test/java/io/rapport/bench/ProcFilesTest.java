package io.rapport.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ProcFilesTest {
  @TempDir private Path root = Path.of("");

  @Test
  void countsStealButNotGuestsTwice() throws IOException {
    Files.writeString(root.resolve("stat"), "cpu  100 0 50 700 50 0 0 100 30 0\ncpu0 1 2\n");
    assertThat(new ProcFiles(root).stolenAndAll()).containsExactly(1.0, 10.0);
  }

  @Test
  void findsTheTimesBehindANameWithBlanksAndBrackets() throws IOException {
    writeThread("7", "GC (x) Thread#1", 150, 50);
    writeThread("8", "GC (x) Thread#0", 100, 0);
    assertThat(new ProcFiles(root).cpuOfThreads(7)).isEqualTo(Map.of("GC (x) Thread", 3.0));
  }

  @Test
  void takesWhatIsGoneForNothing() {
    ProcFiles files = new ProcFiles(root);
    assertThat(files.cpu(1)).isZero();
    assertThat(files.residentMegabytes(1)).isZero();
    assertThat(files.cpuOfThreads(1)).isEmpty();
    assertThat(files.stolenAndAll()).containsExactly(0.0, 0.0);
  }

  @Test
  void readsResidentMemory() throws IOException {
    Files.createDirectories(root.resolve("7"));
    Files.writeString(root.resolve("7/status"), "VmPeak:\t 9 kB\nVmRSS:\t  250000 kB\n");
    assertThat(new ProcFiles(root).residentMegabytes(7)).isEqualTo(256.0);
  }

  private void writeThread(String id, String name, int user, int system) throws IOException {
    Path thread = Files.createDirectories(root.resolve("7/task").resolve(id));
    Files.writeString(
        thread.resolve("stat"),
        "%s (%s) S 1 1 1 0 -1 0 0 0 0 0 %d %d 0 0 20 0 1 0 1".formatted(id, name, user, system));
  }
}
