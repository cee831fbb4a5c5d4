package io.rapport.importer;

import io.rapport.tracking.v1.Event;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A whole file of events in memory, for those that send the same ones again and again. */
public final class EventFile {
  private EventFile() {}

  /**
   * Reads a file that {@code bin/import} takes, plain or gzip.
   *
   * @param provider who calls the users by the ids in the file
   * @throws IOException if it can't be read or a line isn't an event
   */
  public static List<Event> read(Path file, String provider) throws IOException {
    EventLines events = new EventLines(provider);
    List<Event> read = new ArrayList<>();
    try (InputStream input = Files.newInputStream(file);
        Lines lines = Lines.of(input)) {
      for (Lines.Line line = lines.next(); line != null; line = lines.next()) {
        if (!line.blank()) {
          read.add(events.event(line));
        }
      }
      return read;
    } catch (BrokenLineException broken) {
      throw new IOException(file + ": event " + (read.size() + 1) + ": " + broken.getMessage());
    }
  }
}
