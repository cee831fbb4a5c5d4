package io.rapport.demo;

import com.google.protobuf.Timestamp;
import io.rapport.tracking.v1.Event;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * What the history of a repository tells of a commit.
 *
 * @param text its subject without the number
 * @param number of the pull request that its subject names last; 0 if it names none
 */
record Subject(
    String event, String repository, String text, int number, Timestamp written, Timestamp taken) {
  private static final JsonFactory JSON = new JsonFactory();
  private static final Pattern NUMBER = Pattern.compile("\\(#(\\d{1,9})\\)");

  static Subject of(Event event) {
    Matcher numbers = NUMBER.matcher(event.getText());
    int number = 0;
    while (numbers.find()) {
      number = Integer.parseInt(numbers.group(1));
    }
    return new Subject(
        event.getId(),
        repository(event),
        numbers.replaceAll(" ").strip(),
        number,
        event.getOccurredAt(),
        event.getReceivedAt());
  }

  private static String repository(Event event) {
    byte[] data = event.getDataJson().toByteArray();
    try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), data)) {
      while (parser.nextToken() != null) {
        if (parser.currentToken() == JsonToken.VALUE_STRING
            && parser.currentName().equals("repository")) {
          return parser.getString();
        }
      }
    }
    throw new IllegalArgumentException("a commit without a repository: " + event.getId());
  }

  /** What names its pull request among all. */
  String pullRequest() {
    return repository + "#" + number;
  }
}
