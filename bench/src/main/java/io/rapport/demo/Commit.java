package io.rapport.demo;

import com.google.protobuf.ByteString;
import io.rapport.tracking.v1.Event;
import io.rapport.versioning.v1.DatasetRow;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * A change that somebody made.
 *
 * @param week since 1970
 * @param lines added and deleted
 */
record Commit(String user, long week, double lines) {
  private static final JsonFactory JSON = new JsonFactory();
  private static final long WEEK_SECONDS = 7 * 24 * 3_600L;

  static Commit of(DatasetRow row) {
    return of(row.getUserId(), row.getOccurredAt().getSeconds(), row.getFeaturesJson());
  }

  /**
   * @param user whose it is, as the service knows them
   */
  static Commit of(String user, Event event) {
    return of(user, event.getOccurredAt().getSeconds(), event.getDataJson());
  }

  private static Commit of(String user, long seconds, ByteString data) {
    return new Commit(user, Math.floorDiv(seconds, WEEK_SECONDS), lines(data));
  }

  private static double lines(ByteString data) {
    double lines = 0;
    try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), data.toByteArray())) {
      for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
        if (token.isNumeric() && parser.currentName().matches("insertions|deletions")) {
          lines += parser.getDoubleValue();
        }
      }
    }
    return lines;
  }
}
