package io.rapport.tracking.event;

import com.google.protobuf.Timestamp;
import com.google.rpc.BadRequest.FieldViolation;
import io.rapport.identity.v1.Identity;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Times;
import io.rapport.platform.Uuids;
import io.rapport.platform.json.Texts;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.tracking.v1.Event;
import java.util.ArrayList;
import java.util.List;

/**
 * The rules of an event that stand in the contract, once more by hand: events come by the hundred
 * thousand, and the general validator takes longer than all the rest. A test holds the two against
 * each other.
 */
final class EventRules {
  private static final int MAX_NAME = 50;
  private static final int MAX_SUBJECT = 255;
  private static final int MAX_TEXT = 10_000;
  static final int MAX_DATA_BYTES = 65_536;
  private static final int MAX_OFFSET_MINUTES = 1080;

  private final List<FieldViolation> violations = new ArrayList<>(0);

  private EventRules() {}

  /** What breaks a rule, with paths from the event. */
  static List<FieldViolation> violations(Event event) {
    EventRules rules = new EventRules();
    rules.checkId(event);
    rules.checkUser(event);
    rules.require(
        isName(event.getEventType()), "event_type", "must match ^[a-z][a-z0-9_.-]{0,49}$");
    rules.checkTimes(event);
    rules.checkText(event.getText(), 0, MAX_TEXT, "text");
    rules.require(
        event.getDataJson().size() <= MAX_DATA_BYTES, "data_json", "must have at most 65536 bytes");
    return rules.violations;
  }

  private void checkId(Event event) {
    boolean valid = event.getId().isEmpty() || Uuids.parse(event.getId()) != null;
    require(valid, "id", "must be a UUID");
  }

  private void checkUser(Event event) {
    boolean byId = !event.getUserId().isEmpty();
    require(
        byId != event.hasIdentity(), "user_id", "exactly one of user_id and identity is needed");
    if (byId) {
      require(Uuids.parse(event.getUserId()) != null, "user_id", "must be a UUID");
    }
    if (event.hasIdentity()) {
      Identity identity = event.getIdentity();
      require(
          isName(identity.getProvider()),
          "identity.provider",
          "must match ^[a-z][a-z0-9_.-]{0,49}$");
      checkText(identity.getSubject(), 1, MAX_SUBJECT, "identity.subject");
    }
  }

  private void checkTimes(Event event) {
    if (event.hasOccurredAt()) {
      checkTime(event.getOccurredAt(), "occurred_at");
    }
    if (event.hasReceivedAt()) {
      checkTime(event.getReceivedAt(), "received_at");
    }
    require(
        Math.abs((long) event.getUtcOffsetMinutes()) <= MAX_OFFSET_MINUTES,
        "utc_offset_minutes",
        "must be -1080 to 1080");
  }

  private void checkTime(Timestamp time, String field) {
    require(Times.isValid(time), field, "must be an instant from year 1 to 9999");
  }

  private void checkText(String text, int min, int max, String field) {
    int length = text.length() <= max ? text.length() : text.codePointCount(0, text.length());
    require(
        length >= min && length <= max, field, "must have " + min + " to " + max + " characters");
    Texts.problem(text)
        .ifPresent(problem ->
            violations.add(ServiceException.violation(field, problem, Texts.describe(problem))));
  }

  private static boolean isName(String text) {
    if (text.isEmpty() || text.length() > MAX_NAME || !isSmallLetter(text.charAt(0))) {
      return false;
    }
    for (int i = 1; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean digit = c >= '0' && c <= '9';
      if (!isSmallLetter(c) && !digit && c != '_' && c != '.' && c != '-') {
        return false;
      }
    }
    return true;
  }

  private static boolean isSmallLetter(char c) {
    return c >= 'a' && c <= 'z';
  }

  private void require(boolean holds, String field, String description) {
    if (!holds) {
      violations.add(ServiceException.violation(field, ErrorReason.INVALID_FIELD, description));
    }
  }
}
