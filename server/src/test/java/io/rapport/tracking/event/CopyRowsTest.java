package io.rapport.tracking.event;

import static io.rapport.server.Given.event;
import static io.rapport.server.Given.eventWith;
import static io.rapport.server.Given.events;
import static io.rapport.server.Given.identity;
import static io.rapport.server.Given.time;
import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.client.RapportClient;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventOutcome.Result;
import io.rapport.tracking.v1.EventProperty;
import io.rapport.tracking.v1.GetEventRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Large batches go to the database by another way than small ones, and arrive the same. */
class CopyRowsTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @Test
  void storesWhatArraysStore() {
    List<Event> samples =
        Stream.of(
                event(),
                event().setText("a\tb\nc\\N\\.\"',{}NULL\r\u0001é😀\u0301"),
                event().setText("😀".repeat(10_000)),
                event().setText("\\N"),
                eventWith("{}"),
                eventWith("{\"a\":null,\"b\":[],\"é😀\":\"\\\\\\\"\\n\\u0001 ,{}\"}"),
                eventWith("{\"a\":[1e308,4.9e-324,-9223372036854775808,0.1,1e-20]}"),
                event().setUtcOffsetMinutes(0),
                event().setUtcOffsetMinutes(-1080),
                event().setUtcOffsetMinutes(1080),
                event().setOccurredAt(time("0001-01-01T00:00:00Z")),
                event().setOccurredAt(time("9999-12-31T23:59:59.999999999Z")),
                event().setOccurredAt(time("1969-12-31T23:59:59.999999999Z")),
                event().setOccurredAt(time("1582-10-10T12:00:00.000001Z")),
                event().setReceivedAt(time("2000-01-01T00:00:00Z")),
                event().setReceivedAt(time("1999-12-31T23:59:59.999999Z")),
                event().setId("ffffffff-ffff-ffff-ffff-ffffffffffff"),
                event().setId("80000000-0000-0000-8000-000000000000"),
                event().setEventType("a".repeat(50)).setIdentity(identity("é😀")))
            .map(Event.Builder::build)
            .toList();
    List<Event> many = new ArrayList<>(samples);
    many.addAll(events(1000));

    try (RapportClient other = rapport.clientOf(rapport.newTenant())) {
      for (Event sample : samples) {
        assertThat(rapport.client().events().track(sample).getResult()).isEqualTo(Result.RECORDED);
      }
      assertThat(other.events().batch(many))
          .allMatch(outcome -> outcome.getResult() == Result.RECORDED);

      for (Event sample : samples) {
        assertThat(read(other, sample)).isEqualTo(read(rapport.client(), sample));
      }
    }
  }

  @Test
  void indexesPropertiesAsArraysDo() {
    rapport.client().properties().declare("a", EventProperty.Type.STRING);
    List<Event> many = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      many.add(eventWith("{\"a\":\"v\"}").setId(Given.id()).build());
    }

    rapport.client().events().batch(many);
    rapport.client().events().track(eventWith("{\"a\":\"v\"}").build());

    assertThat(
            rapport
                .sql()
                .fetchSingle(
                    "SELECT count(*) FROM tracking.event_property_values"
                        + " WHERE tenant_id = ? AND text_value = 'v'",
                    rapport.tenant())
                .get(0, Integer.class))
        .isEqualTo(601);
  }

  /** Without what differs from tenant to tenant and from call to call. */
  private static Event read(RapportClient client, Event sent) {
    GetEventRequest request =
        GetEventRequest.newBuilder().setId(sent.getId()).setDataAsJson(true).build();
    Event.Builder read = client.events().get(request).orElseThrow().toBuilder();
    if (!sent.hasOccurredAt()) {
      read.clearOccurredAt();
    }
    return read.clearUserId().clearRecordedAt().clearDigest().build();
  }
}
