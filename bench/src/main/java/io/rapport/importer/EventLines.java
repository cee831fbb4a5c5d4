package io.rapport.importer;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.rapport.identity.v1.Identity;
import io.rapport.tracking.v1.Event;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.HashSet;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/** Makes events of lines of JSON; whatever it can't keep makes the line broken. */
final class EventLines {
  private final JsonFactory json = new JsonFactory();
  private final String provider;

  EventLines(String provider) {
    this.provider = provider;
  }

  Event event(Lines.Line line) throws BrokenLineException {
    if (line.tooLong()) {
      throw new BrokenLineException("the line is longer than %,d bytes".formatted(Lines.MAX_BYTES));
    }
    try (JsonParser parser =
        json.createParser(ObjectReadContext.empty(), line.buffer(), line.offset(), line.length())) {
      return required(object(parser, line));
    } catch (JacksonException broken) {
      throw new BrokenLineException("not well-formed JSON: " + broken.getOriginalMessage());
    }
  }

  private Event.Builder object(JsonParser parser, Lines.Line line) throws BrokenLineException {
    if (parser.nextToken() != JsonToken.START_OBJECT) {
      throw new BrokenLineException("not a JSON object");
    }
    Event.Builder event = Event.newBuilder();
    Set<String> seen = new HashSet<>();
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      if (!seen.add(name)) {
        throw new BrokenLineException("field \"" + name + "\" stands there twice");
      }
      if (parser.nextToken() != JsonToken.VALUE_NULL) {
        set(event, name, parser, line);
      }
    }
    if (parser.nextToken() != null) {
      throw new BrokenLineException("something follows the JSON object");
    }
    return event;
  }

  private void set(Event.Builder event, String name, JsonParser parser, Lines.Line line)
      throws BrokenLineException {
    switch (name) {
      case "event_id" -> event.setId(text(name, parser));
      case "user" ->
          event.setIdentity(
              Identity.newBuilder().setProvider(provider).setSubject(text(name, parser)));
      case "event_type" -> event.setEventType(text(name, parser));
      case "occurred_at" -> setOccurredAt(event, time(name, parser));
      case "received_at" -> event.setReceivedAt(timestamp(time(name, parser)));
      case "data" -> event.setDataJson(data(parser, line));
      case "text" -> event.setText(text(name, parser));
      default -> throw new BrokenLineException("unknown field \"" + name + "\"");
    }
  }

  private static Event required(Event.Builder event) throws BrokenLineException {
    String missing = null;
    if (event.getId().isEmpty()) {
      missing = "event_id";
    } else if (!event.hasIdentity()) {
      missing = "user";
    } else if (event.getEventType().isEmpty()) {
      missing = "event_type";
    }
    if (missing != null) {
      throw new BrokenLineException("field \"" + missing + "\" is missing");
    }
    return event.build();
  }

  private static String text(String name, JsonParser parser) throws BrokenLineException {
    if (parser.currentToken() != JsonToken.VALUE_STRING) {
      throw new BrokenLineException("field \"" + name + "\" must be a string");
    }
    String text = parser.getString();
    if (hasLoneSurrogate(text)) {
      throw new BrokenLineException("field \"" + name + "\" has half a surrogate pair");
    }
    return text;
  }

  private static boolean hasLoneSurrogate(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isSurrogate(c)) {
        boolean paired =
            Character.isHighSurrogate(c)
                && i + 1 < text.length()
                && Character.isLowSurrogate(text.charAt(i + 1));
        if (!paired) {
          return true;
        }
        i++;
      }
    }
    return false;
  }

  private static OffsetDateTime time(String name, JsonParser parser) throws BrokenLineException {
    try {
      return OffsetDateTime.parse(text(name, parser));
    } catch (DateTimeException unreadable) {
      throw new BrokenLineException(
          "field \""
              + name
              + "\" must be a time with an offset, such as 2026-01-31T08:00:00+01:00");
    }
  }

  private static void setOccurredAt(Event.Builder event, OffsetDateTime time)
      throws BrokenLineException {
    int seconds = time.getOffset().getTotalSeconds();
    if (seconds % 60 != 0) {
      throw new BrokenLineException(
          "field \"occurred_at\" has an offset that is not whole minutes");
    }
    event.setOccurredAt(timestamp(time)).setUtcOffsetMinutes(seconds / 60);
  }

  private static Timestamp timestamp(OffsetDateTime time) {
    return Timestamp.newBuilder().setSeconds(time.toEpochSecond()).setNanos(time.getNano()).build();
  }

  /** The object as it stands in the line, byte for byte. */
  private static ByteString data(JsonParser parser, Lines.Line line) throws BrokenLineException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw new BrokenLineException("field \"data\" must be an object");
    }
    int from = (int) parser.currentTokenLocation().getByteOffset();
    parser.skipChildren();
    int to = (int) parser.currentLocation().getByteOffset();
    return ByteString.copyFrom(line.buffer(), line.offset() + from, to - from);
  }
}
