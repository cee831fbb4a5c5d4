package io.rapport.bench;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.rapport.identity.v1.Identity;
import io.rapport.importer.EventFile;
import io.rapport.tracking.v1.Event;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Events to send: the same contents again and again, each time under new ids. */
final class Samples {
  static final String PROVIDER = "bench";
  private static final int SYNTHETIC = 45_000;
  private static final int SYNTHETIC_USERS = 1_800;
  private static final long SYNTHETIC_START = 1_100_000_000;

  private final List<Event> contents;
  private final String origin;
  private final SplittableRandom random = new SplittableRandom();

  private Samples(List<Event> contents, String origin) {
    this.contents = contents;
    this.origin = origin;
  }

  static Samples load(@Nullable Path file) throws IOException {
    return file != null && Files.exists(file)
        ? new Samples(EventFile.read(file, PROVIDER), "real, " + file.getFileName())
        : new Samples(synthetic(), "synthetic");
  }

  /** Of the shape of the real ones: few users do most, a short line of text, four properties. */
  private static List<Event> synthetic() {
    Random random = new Random(42);
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < SYNTHETIC; i++) {
      double place = random.nextDouble();
      long user = (long) (SYNTHETIC_USERS * place * place * place);
      Timestamp time = Timestamp.newBuilder().setSeconds(SYNTHETIC_START + i * 15_000L).build();
      events.add(
          Event.newBuilder()
              .setIdentity(identity(new UUID(7, user).toString()))
              .setEventType("commit")
              .setOccurredAt(time)
              .setUtcOffsetMinutes(60 * (random.nextInt(20) - 10))
              .setReceivedAt(time)
              .setDataJson(ByteString.copyFromUtf8(data(random)))
              .setText("Change the " + "word ".repeat(2 + random.nextInt(12)))
              .build());
    }
    return events;
  }

  private static String data(Random random) {
    return "{\"repository\":\"owner/name-%d\",\"files_changed\":%d,\"insertions\":%d,\"deletions\":%d}"
        .formatted(
            random.nextInt(13), random.nextInt(30), random.nextInt(900), random.nextInt(300));
  }

  private static Identity identity(String subject) {
    return Identity.newBuilder().setProvider(PROVIDER).setSubject(subject).build();
  }

  /** Those of one of so many equal parts of the users. */
  Samples part(int index, int parts) {
    List<Event> own =
        contents.stream()
            .filter(
                event -> Math.floorMod(event.getIdentity().getSubject().hashCode(), parts) == index)
            .toList();
    return own.isEmpty() ? this : new Samples(own, origin);
  }

  /** One new event of each user. */
  List<Event> oneOfEachUser() {
    Map<String, Event> events = new LinkedHashMap<>();
    contents.forEach(event -> events.putIfAbsent(event.getIdentity().getSubject(), event));
    return events.values().stream()
        .map(event -> event.toBuilder().setId(newId(random).toString()).build())
        .toList();
  }

  String origin() {
    return origin;
  }

  /** The contents without new ids. */
  List<Event> contents() {
    return contents;
  }

  /** So many events that were never sent before. */
  List<Event> fresh(int count) {
    List<Event> events = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      events.add(
          contents.get(i % contents.size()).toBuilder().setId(newId(random).toString()).build());
    }
    return events;
  }

  /** One event that was never sent before; for any thread. */
  Event one() {
    ThreadLocalRandom own = ThreadLocalRandom.current();
    Event content = contents.get(own.nextInt(contents.size()));
    return content.toBuilder().setId(newId(own).toString()).build();
  }

  /** Random as the ids of the real events are: new ones land everywhere in an index. */
  static UUID newId(RandomGenerator random) {
    long high = (random.nextLong() & ~0xf000L) | 0x4000L;
    long low = (random.nextLong() & ~(3L << 62)) | (1L << 63);
    return new UUID(high, low);
  }

  /** The events with some of them, a share of the whole, sent once more later. */
  List<Event> withRepeats(List<Event> events, double share) {
    List<Event> sent = new ArrayList<>();
    for (Event event : events) {
      sent.add(event);
      if (random.nextDouble() < share / (1 - share)) {
        sent.add(sent.get(random.nextInt(sent.size())));
      }
    }
    return sent;
  }
}
