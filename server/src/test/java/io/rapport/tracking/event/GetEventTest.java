package io.rapport.tracking.event;

import static io.rapport.server.Given.event;
import static io.rapport.server.Given.eventWith;
import static io.rapport.server.Given.time;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.util.JsonFormat;
import com.google.rpc.Code;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.GetEventRequest;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GetEventTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @Test
  void givesBackWhatWasRecorded() throws Exception {
    Event sent =
        eventWith("{\"b\":[1,null,true,\"x\"],\"a\":{\"c\":0.5}}")
            .setText("größe 😀")
            .setOccurredAt(time("1969-12-31T23:59:59.123456789Z"))
            .setUtcOffsetMinutes(-330)
            .setReceivedAt(time("2026-01-01T00:00:00Z"))
            .build();
    EventOutcome outcome = rapport.client().events().track(sent);

    Event read = get(sent.getId(), false);

    assertThat(read.getOccurredAt()).isEqualTo(time("1969-12-31T23:59:59.123456Z"));
    assertThat(read.getReceivedAt()).isEqualTo(sent.getReceivedAt());
    assertThat(read.getUtcOffsetMinutes()).isEqualTo(-330);
    assertThat(read.getText()).isEqualTo(sent.getText());
    assertThat(read.getEventType()).isEqualTo(sent.getEventType());
    assertThat(read.getRecordedAt()).isEqualTo(outcome.getRecordedAt());
    assertThat(read.getDigest()).isEqualTo(outcome.getDigest());
    assertThat(read.hasIdentity()).isFalse();
    assertThat(JsonFormat.printer().omittingInsignificantWhitespace().print(read.getDataStruct()))
        .isEqualTo("{\"a\":{\"c\":0.5},\"b\":[1.0,null,true,\"x\"]}");
  }

  @Test
  void leavesUnsetWhatWasNotSent() {
    Event sent = event().build();
    rapport.client().events().track(sent);

    Event read = get(sent.getId(), false);

    assertThat(read.getOccurredAt()).isEqualTo(read.getRecordedAt());
    assertThat(read.hasReceivedAt()).isFalse();
    assertThat(read.hasUtcOffsetMinutes()).isFalse();
    assertThat(read.getDataCase()).isEqualTo(Event.DataCase.DATA_NOT_SET);
    assertThat(read.getText()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "9007199254740993",
        "-9223372036854775808",
        "9223372036854775808",
        "0.12345678901234567890123"
      })
  void givesANumberThatNoDoubleHoldsOnlyAsJson(String number) {
    Event sent = eventWith("{\"n\":" + number + "}").build();
    rapport.client().events().track(sent);

    Event read = get(sent.getId(), false);

    assertThat(read.hasDataStruct()).isFalse();
    assertThat(read.getDataJson().toStringUtf8()).contains(number);
  }

  @Test
  void readsNumbersThatAreLongOnlyWhenWrittenOut() {
    Event sent = eventWith("{\"n\":1." + "3".repeat(400) + "e-300,\"m\":1e308}").build();
    rapport.client().events().track(sent);

    Event read = get(sent.getId(), false);

    assertThat(read.getDataJson().size()).isGreaterThan(1000);
  }

  @Test
  void answersForAnotherTenantsEventExactlyAsForNone() {
    Event theirs = event().build();
    try (var other = rapport.clientOf(rapport.newTenant())) {
      other.events().track(theirs);
    }
    String absent = Given.id();

    Told forTheirs = Told.by(() -> get(theirs.getId(), false));
    Told forNone = Told.by(() -> get(absent, false));

    assertThat(forNone.code()).isEqualTo(Code.NOT_FOUND);
    assertThat(forNone.reason()).isEqualTo("RESOURCE_NOT_FOUND");
    assertThat(forTheirs.status().toString().replace(theirs.getId(), absent))
        .isEqualTo(forNone.status().toString());
  }

  @Test
  void letsTenantsUseTheSameIds() {
    Event event = event().build();
    rapport.client().events().track(event);

    try (var other = rapport.clientOf(rapport.newTenant())) {
      EventOutcome outcome = other.events().track(event.toBuilder().setText("other").build());

      assertThat(outcome.getResult()).isEqualTo(EventOutcome.Result.RECORDED);
      assertThat(other.events().get(event.getId()).orElseThrow().getText()).isEqualTo("other");
      assertThat(get(event.getId(), false).getText()).isEmpty();
    }
  }

  @Test
  void refusesWhatIsNoId() {
    for (String id : List.of("", "x", "{00000000-0000-0000-0000-000000000001}", "a\0")) {
      assertThat(Told.by(() -> get(id, false)).fields()).containsExactly("id");
    }
  }

  private static Event get(String id, boolean asJson) {
    return EventServiceGrpc.newBlockingStub(rapport.channel())
        .getEvent(GetEventRequest.newBuilder().setId(id).setDataAsJson(asJson).build());
  }
}
