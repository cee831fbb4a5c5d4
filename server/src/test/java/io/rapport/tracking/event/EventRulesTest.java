package io.rapport.tracking.event;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import com.google.rpc.BadRequest.FieldViolation;
import io.rapport.identity.v1.Identity;
import io.rapport.platform.Rules;
import io.rapport.platform.Uuids;
import io.rapport.tracking.v1.Event;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The rules by hand must be those of the contract, which the general validator evaluates. */
class EventRulesTest {
  private static final int EVENTS = 20_000;
  private static final List<String> NAMES =
      List.of(
          "a",
          "page_view",
          "a.b-c_9",
          "",
          "A",
          "9a",
          "_a",
          "a b",
          "a\n",
          "\na",
          "ä",
          "a😀",
          "a".repeat(50),
          "a".repeat(51),
          "aé",
          "a\0",
          "a/b",
          "Å",
          "ａ");
  private static final List<String> IDS =
      List.of(
          "",
          "00000000-0000-0000-0000-000000000000",
          "0190A3C4-5B6D-7E8F-9ABC-DEF012345678",
          "0190a3c4-5b6d-7e8f-9abc-def01234567",
          "0190a3c4-5b6d-7e8f-9abc-def0123456789",
          "0190a3c45b6d7e8f9abcdef012345678",
          "{0190a3c4-5b6d-7e8f-9abc-def012345678}",
          "0190a3c4-5b6d-7e8f-9abc-def01234567g",
          "0190a3c4_5b6d_7e8f_9abc_def012345678",
          "0190a3c4-5b6d-7e8f-9abc-def012345678\n",
          " 0190a3c4-5b6d-7e8f-9abc-def01234567",
          "1-1-1-1-1",
          "0190a3c4-5b6d-7e8f-9abc-def01234567１");
  private static final List<Integer> LENGTHS =
      List.of(0, 1, 2, 254, 255, 256, 9_999, 10_000, 10_001);

  private final Random random = new Random(20_261_122);
  private final Rules contract = new Rules();

  @Test
  void agreeWithTheContract() {
    int valid = 0;
    for (int i = 0; i < EVENTS; i++) {
      Event event = event();

      Set<String> byHand = fields(EventRules.violations(event));
      Set<String> byContract = fields(contract.violations(event));

      byHand.removeAll(onlyByHand(event));
      assertThat(byHand).as(() -> "event " + describe(event)).isEqualTo(byContract);
      valid += byContract.isEmpty() ? 1 : 0;
    }
    assertThat(valid).as("valid ones among them").isBetween(EVENTS / 10, EVENTS * 9 / 10);
  }

  /** Rules that the contract states in words: who did it, and texts that can be stored. */
  private static Set<String> onlyByHand(Event event) {
    Set<String> fields = new TreeSet<>();
    boolean byId = !event.getUserId().isEmpty();
    if (byId == event.hasIdentity() && (!byId || Uuids.parse(event.getUserId()) != null)) {
      fields.add("user_id");
    }
    if (event.getText().indexOf('\0') >= 0 && event.getText().length() <= 10_000) {
      fields.add("text");
    }
    String subject = event.getIdentity().getSubject();
    if (subject.indexOf('\0') >= 0 && subject.length() <= 255) {
      fields.add("identity.subject");
    }
    return fields;
  }

  private static Set<String> fields(List<FieldViolation> violations) {
    Set<String> fields = new TreeSet<>();
    violations.forEach(it -> fields.add(it.getField()));
    return fields;
  }

  private Event event() {
    Event.Builder event = Event.newBuilder();
    event.setId(mostly(0, IDS)).setEventType(mostly(0, NAMES.reversed(), "click"));
    if (random.nextInt(3) == 0) {
      event.setUserId(mostly(1, IDS));
    } else if (random.nextInt(20) != 0) {
      event.setIdentity(
          Identity.newBuilder()
              .setProvider(mostly(0, NAMES, "okta"))
              .setSubject(text(random.nextInt(4) == 0 ? length() : 7)));
    }
    if (random.nextInt(8) == 0) {
      event.setText(text(length()));
    }
    if (random.nextInt(4) == 0) {
      event.setUtcOffsetMinutes(pick(List.of(0, 1080, 1081, -1080, -1081, 1 << 31, 60)));
    }
    if (random.nextInt(4) == 0) {
      event.setOccurredAt(Timestamp.newBuilder().setSeconds(random.nextInt()));
    }
    if (random.nextInt(20) == 0) {
      event.setDataJson(ByteString.copyFrom(new byte[65_535 + random.nextInt(3)]));
    }
    return event.build();
  }

  private int length() {
    return pick(LENGTHS);
  }

  private String text(int length) {
    String one = pick(List.of("x", "é", "😀", "\0", "\u0301"));
    return one.repeat(length);
  }

  private String mostly(int usual, List<String> unusual) {
    return mostly(usual, unusual, "0190a3c4-5b6d-7e8f-9abc-def012345678");
  }

  private String mostly(int from, List<String> unusual, String usual) {
    return random.nextInt(5) == 0
        ? unusual.get(from + random.nextInt(unusual.size() - from))
        : usual;
  }

  private <T> T pick(List<T> values) {
    return values.get(random.nextInt(values.size()));
  }

  private static String describe(Event event) {
    return event.toBuilder().clearDataJson().build().toString();
  }
}
