package io.rapport.importer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rapport.tracking.v1.Event;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class EventLinesTest {
  private static final String ID = "c97665db-31e7-5c15-9c58-3e1308006af8";

  @Test
  void keepsEveryField() throws BrokenLineException {
    Event event =
        event(
            "'occurred_at':'2026-01-31T08:00:00.123456+05:30',"
                + "'received_at':'2026-01-31T03:00:00Z','text':'Grüße \\ud83d\\ude00'");

    assertThat(event.getId()).isEqualTo(ID);
    assertThat(event.getIdentity().getProvider()).isEqualTo("git");
    assertThat(event.getIdentity().getSubject()).isEqualTo("u1");
    assertThat(event.getEventType()).isEqualTo("commit");
    assertThat(event.getOccurredAt().getSeconds())
        .isEqualTo(Instant.parse("2026-01-31T02:30:00Z").getEpochSecond());
    assertThat(event.getOccurredAt().getNanos()).isEqualTo(123_456_000);
    assertThat(event.getUtcOffsetMinutes()).isEqualTo(330);
    assertThat(event.hasReceivedAt()).isTrue();
    assertThat(event.getText()).isEqualTo("Grüße \uD83D\uDE00");
  }

  @Test
  void keepsDataByteForByte() throws BrokenLineException {
    String data = "{ \"ä\" : [1.50, 1e3, {}],\t\"n\":12345678901234567890 }";

    Event event = event("'text':'ü','data': " + data + " ");

    assertThat(event.getDataJson().toStringUtf8()).isEqualTo(data);
  }

  @Test
  void takesNullForAbsent() throws BrokenLineException {
    Event event = event("'text':null,'occurred_at':null");

    assertThat(event.hasOccurredAt()).isFalse();
    assertThat(event.hasUtcOffsetMinutes()).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'colour':1                       | unknown field \"colour\"",
        "'user':'other'                   | field \"user\" stands there twice",
        "'text':7                         | field \"text\" must be a string",
        "'text':'\\ud800'                 | field \"text\" has half a surrogate pair",
        "'data':[1]                       | field \"data\" must be an object",
        "'data':{'a':}                    | not well-formed JSON",
        "'occurred_at':'2026-01-31'       | field \"occurred_at\" must be a time with an offset",
        "'occurred_at':'2026-01-31T00:00:00+00:00:30' | offset that is not whole minutes",
      })
  void saysWhatIsWrong(String field, String why) {
    assertThatThrownBy(() -> event(field))
        .isInstanceOf(BrokenLineException.class)
        .hasMessageContaining(why);
  }

  @Test
  void wantsTheFieldsThatAnEventNeeds() {
    assertThatThrownBy(() -> parse("{}")).hasMessage("field \"event_id\" is missing");
    assertThatThrownBy(() -> parse("[]")).hasMessage("not a JSON object");
    assertThatThrownBy(() -> parse("{'event_id':'x'}")).hasMessage("field \"user\" is missing");
    assertThatThrownBy(() -> parse("{'event_id':'x','user':'u'}"))
        .hasMessage("field \"event_type\" is missing");
  }

  private static Event event(String fields) throws BrokenLineException {
    return parse("{'event_id':'" + ID + "','user':'u1','event_type':'commit'," + fields + "}");
  }

  private static Event parse(String line) throws BrokenLineException {
    byte[] bytes = ("before" + line.replace('\'', '"') + "after").getBytes(UTF_8);
    int length = bytes.length - "beforeafter".length();
    return new EventLines("git").event(new Lines.Line(bytes, "before".length(), length));
  }
}
