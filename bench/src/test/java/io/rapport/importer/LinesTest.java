package io.rapport.importer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

final class LinesTest {
  @Test
  void readsLinesOfAnyLengthAcrossItsBuffer() throws IOException {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      lines.add("é".repeat(i * 7 % 3_001));
    }

    assertThat(read(String.join("\n", lines).getBytes(UTF_8))).isEqualTo(lines);
    assertThat(read((String.join("\n", lines) + "\n").getBytes(UTF_8))).isEqualTo(lines);
  }

  @Test
  void readsWhatIsCompressed() throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write("a\nb".getBytes(UTF_8));
    }

    assertThat(read(packed.toByteArray())).containsExactly("a", "b");
  }

  @Test
  void readsAnEmptyFile() throws IOException {
    assertThat(read(new byte[0])).isEmpty();
  }

  @Test
  void goesOnAfterALineThatIsTooLong() throws IOException {
    String file = "a\n" + "x".repeat(5 * Lines.MAX_BYTES) + "\nb\n" + "y".repeat(Lines.MAX_BYTES);
    try (Lines lines = Lines.of(new ByteArrayInputStream(file.getBytes(UTF_8)))) {
      List<Boolean> tooLong = new ArrayList<>();
      for (Lines.Line line = lines.next(); line != null; line = lines.next()) {
        tooLong.add(line.tooLong());
      }

      assertThat(tooLong).containsExactly(false, true, false, false);
      assertThat(lines.number()).isEqualTo(4);
    }
  }

  private static List<String> read(byte[] file) throws IOException {
    List<String> read = new ArrayList<>();
    try (Lines lines = Lines.of(new ByteArrayInputStream(file))) {
      for (Lines.Line line = lines.next(); line != null; line = lines.next()) {
        read.add(new String(line.buffer(), line.offset(), line.length(), UTF_8));
      }
    }
    return read;
  }
}
