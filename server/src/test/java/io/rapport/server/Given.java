package io.rapport.server;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.rapport.identity.v1.Identity;
import io.rapport.tracking.v1.Event;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** What tests begin with. */
public final class Given {
  private Given() {}

  public static String id() {
    return UUID.randomUUID().toString();
  }

  public static Identity identity(String subject) {
    return Identity.newBuilder().setProvider("test").setSubject(subject).build();
  }

  /** An event of ada that keeps all rules, with an id of its own. */
  public static Event.Builder event() {
    return Event.newBuilder().setId(id()).setEventType("page_view").setIdentity(identity("ada"));
  }

  public static Event.Builder eventOf(String subject) {
    return event().setIdentity(identity(subject));
  }

  public static Event.Builder eventWith(String json) {
    return event().setDataJson(ByteString.copyFromUtf8(json));
  }

  /** Happened at an instant such as 2026-01-31T12:00:00Z. */
  public static Event.Builder eventAt(String instant) {
    return event().setOccurredAt(time(instant));
  }

  public static Timestamp time(String instant) {
    Instant time = Instant.parse(instant);
    return Timestamp.newBuilder()
        .setSeconds(time.getEpochSecond())
        .setNanos(time.getNano())
        .build();
  }

  public static List<Event> events(int count) {
    List<Event> events = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      events.add(event().setText("event " + i).build());
    }
    return events;
  }

  public static List<Event> eventsWith(String json, int count) {
    List<Event> events = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      events.add(eventWith(json).build());
    }
    return events;
  }
}
