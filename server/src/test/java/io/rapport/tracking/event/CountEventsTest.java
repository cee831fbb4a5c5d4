package io.rapport.tracking.event;

import static io.rapport.server.Given.event;
import static io.rapport.server.Given.eventAt;
import static io.rapport.server.Given.eventOf;
import static io.rapport.server.Given.eventWith;
import static io.rapport.server.Given.identity;
import static io.rapport.server.Given.time;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.StatusRuntimeException;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import io.rapport.tracking.v1.CountEventsRequest;
import io.rapport.tracking.v1.CountEventsResponse;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventCount;
import io.rapport.tracking.v1.EventFilter;
import io.rapport.tracking.v1.EventGrouping;
import io.rapport.tracking.v1.EventProperty;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.EventTimeRange;
import io.rapport.tracking.v1.GroupKey;
import io.rapport.tracking.v1.TimeBucket;
import io.rapport.tracking.v1.TimeBucket.Unit;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CountEventsTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final EventGrouping BY_TYPE =
      EventGrouping.newBuilder().setEventType(true).build();
  private static final EventGrouping BY_USER = EventGrouping.newBuilder().setUser(true).build();

  @Test
  void countsAllInOneGroupUnlessAskedOtherwise() {
    assertThat(count()).containsExactly("[]=0");

    record(event(), event(), event());

    assertThat(count()).containsExactly("[]=3");
  }

  @Test
  void countsByType() {
    record(event().setEventType("b"), event().setEventType("a"), event().setEventType("b"));

    assertThat(count(BY_TYPE)).containsExactly("[a]=1", "[b]=2");
  }

  @Test
  void countsAnAliasesEventsUnderTheUserBehindIt() {
    record(eventOf("ada"), eventOf("device"), eventOf("bob"));
    String ada = user("ada");
    rapport.client().users().link(ada, identity("device"));

    assertThat(count(BY_USER))
        .containsExactlyInAnyOrder("[" + ada + "]=2", "[" + user("bob") + "]=1");
  }

  @ParameterizedTest
  @CsvSource({
    "HOUR, Europe/Berlin, 2026-03-29T00:59:59Z, 2026-03-29T00:00:00Z",
    "HOUR, Europe/Berlin, 2026-10-25T01:30:00Z, 2026-10-25T01:00:00Z",
    "DAY, Europe/Berlin, 2026-03-29T21:59:59Z, 2026-03-28T23:00:00Z",
    "DAY, Europe/Berlin, 2026-03-29T22:00:00Z, 2026-03-29T22:00:00Z",
    "DAY, Europe/Berlin, 2026-10-25T22:59:59Z, 2026-10-24T22:00:00Z",
    "DAY, '', 2026-03-29T22:00:00Z, 2026-03-29T00:00:00Z",
    "DAY, Asia/Kathmandu, 2026-01-01T18:15:00Z, 2026-01-01T18:15:00Z",
    "WEEK, Europe/Berlin, 2026-03-29T21:59:59Z, 2026-03-22T23:00:00Z",
    "WEEK, America/New_York, 2026-03-09T03:59:59Z, 2026-03-02T05:00:00Z",
    "MONTH, Europe/Berlin, 2026-03-31T21:59:59Z, 2026-02-28T23:00:00Z",
    "MONTH, Europe/Berlin, 2026-03-31T22:00:00Z, 2026-03-31T22:00:00Z",
    "YEAR, Pacific/Auckland, 2026-12-31T11:00:00Z, 2026-12-31T11:00:00Z",
    "YEAR, '', 0001-06-01T00:00:00Z, 0001-01-01T00:00:00Z"
  })
  void countsBySpansOfACalendar(Unit unit, String zone, String happened, String start) {
    record(eventAt(happened));

    assertThat(count(by(unit, zone))).containsExactly("[" + start + "]=1");
  }

  @Test
  void keepsTheHourThatComesTwiceApart() {
    record(eventAt("2026-10-25T00:30:00Z"), eventAt("2026-10-25T01:30:00Z"));

    assertThat(count(by(Unit.HOUR, "Europe/Berlin"))).hasSize(2);
  }

  @Test
  void countsByTheFiltersClock() {
    record(
        eventAt("2026-01-01T00:00:00Z").setReceivedAt(time("2026-02-01T00:00:00Z")),
        eventAt("2026-01-01T00:00:00Z"));
    EventFilter received =
        EventFilter.newBuilder()
            .setTime(EventTimeRange.newBuilder().setClock(EventTimeRange.Clock.RECEIVED_AT))
            .build();
    CountEventsRequest request =
        CountEventsRequest.newBuilder().setFilter(received).addGroupBy(by(Unit.DAY, "")).build();

    assertThat(groups(call(request))).containsExactly("[2026-02-01T00:00:00Z]=1");
  }

  @Test
  void countsByPropertiesOfEachType() {
    rapport.client().properties().declare("s", EventProperty.Type.STRING);
    rapport.client().properties().declare("n", EventProperty.Type.NUMBER);
    rapport.client().properties().declare("b", EventProperty.Type.BOOLEAN);
    record(
        eventWith("{\"s\":\"x\",\"n\":1,\"b\":true}"),
        eventWith("{\"s\":\"x\",\"n\":1.0,\"b\":false}"),
        eventWith("{\"s\":1,\"n\":\"1\",\"b\":0}"),
        event());

    assertThat(count(by("s"))).containsExactly("[x]=2", "[-]=2");
    assertThat(count(by("n"))).containsExactly("[1.0]=2", "[-]=2");
    assertThat(count(by("b"))).containsExactly("[false]=1", "[true]=1", "[-]=2");
    assertThat(count(by("s"), by("n"), by("b"), BY_TYPE))
        .containsExactly(
            "[x, 1.0, false, page_view]=1",
            "[x, 1.0, true, page_view]=1",
            "[-, -, -, page_view]=2");
  }

  @Test
  void countsByTheSameTwice() {
    rapport.client().properties().declare("s", EventProperty.Type.STRING);
    record(eventWith("{\"s\":\"x\"}"), eventOf("bob"));

    assertThat(count(by("s"), by("s"))).containsExactly("[x, x]=1", "[-, -]=1");
    assertThat(count(BY_USER, BY_USER)).hasSize(2);
    assertThat(count(by(Unit.YEAR, ""), by(Unit.YEAR, "Asia/Tokyo"))).isNotEmpty();
  }

  @Test
  void saysThatThereAreMoreGroups() {
    record(event().setEventType("a"), event().setEventType("b"), event().setEventType("c"));
    CountEventsRequest.Builder request = CountEventsRequest.newBuilder().addGroupBy(BY_TYPE);

    CountEventsResponse two = call(request.setMaxGroups(2).build());
    CountEventsResponse three = call(request.setMaxGroups(3).build());

    assertThat(groups(two)).containsExactly("[a]=1", "[b]=1");
    assertThat(two.getTruncated()).isTrue();
    assertThat(three.getTruncated()).isFalse();
    assertThat(Told.by(() -> call(request.setMaxGroups(-1).build())).fields())
        .containsExactly("max_groups");
  }

  @Test
  void refusesWhatItCanNotGroupBy() {
    for (String zone : List.of("Mars/Olympus", "europe/berlin", "+01:00", "'; --")) {
      Told told = Told.by(() -> count(BY_TYPE, by(Unit.DAY, zone)));
      assertThat(told.reason()).isEqualTo("TIME_ZONE_UNKNOWN");
      assertThat(told.fields()).containsExactly("group_by[1].time.time_zone");
    }
    Told undeclared = Told.by(() -> count(by("x")));
    assertThat(undeclared.reason()).isEqualTo("PROPERTY_NOT_DECLARED");
    assertThat(undeclared.fields()).containsExactly("group_by[0].property");
    assertThat(Told.by(() -> count(by(Unit.UNIT_UNSPECIFIED, ""))).reason())
        .isEqualTo("INVALID_FIELD");
    assertThat(Told.by(() -> count(EventGrouping.getDefaultInstance())).reason())
        .isEqualTo("INVALID_FIELD");
    assertThat(Told.by(() -> count(BY_TYPE, BY_TYPE, BY_TYPE, BY_TYPE, BY_TYPE)).fields())
        .containsExactly("group_by");
  }

  /** A zone that passes the check must be one that PostgreSQL knows. */
  @Test
  void takesNoZoneThatTheDatabaseDoesNotKnow() {
    Set<String> known =
        rapport.sql().fetch("SELECT name FROM pg_timezone_names").intoSet(0, String.class);
    Set<String> unknown = new TreeSet<>(ZoneId.getAvailableZoneIds());
    unknown.removeAll(known);

    record(event());

    for (String zone : unknown) {
      try {
        assertThat(count(by(Unit.DAY, zone))).as(zone).hasSize(1);
      } catch (StatusRuntimeException e) {
        assertThat(Told.of(e).reason()).as(zone).isEqualTo("TIME_ZONE_UNKNOWN");
      }
    }
  }

  private static String user(String subject) {
    return rapport.client().users().get(identity(subject)).orElseThrow().getId();
  }

  private static void record(Event.Builder... events) {
    rapport.client().events().batch(Stream.of(events).map(Event.Builder::build).toList());
  }

  private static EventGrouping by(Unit unit, String zone) {
    return EventGrouping.newBuilder()
        .setTime(TimeBucket.newBuilder().setUnit(unit).setTimeZone(zone))
        .build();
  }

  private static EventGrouping by(String property) {
    return EventGrouping.newBuilder().setProperty(property).build();
  }

  private static List<String> count(EventGrouping... groupings) {
    return groups(call(CountEventsRequest.newBuilder().addAllGroupBy(List.of(groupings)).build()));
  }

  private static CountEventsResponse call(CountEventsRequest request) {
    return EventServiceGrpc.newBlockingStub(rapport.channel()).countEvents(request);
  }

  private static List<String> groups(CountEventsResponse response) {
    return response.getGroupsList().stream().map(CountEventsTest::describe).toList();
  }

  private static String describe(EventCount group) {
    return group.getKeysList().stream().map(CountEventsTest::describe).toList()
        + "="
        + group.getCount();
  }

  private static String describe(GroupKey key) {
    return switch (key.getKeyCase()) {
      case EVENT_TYPE -> key.getEventType();
      case USER_ID -> key.getUserId();
      case TIME ->
          Instant.ofEpochSecond(key.getTime().getSeconds(), key.getTime().getNanos()).toString();
      case STRING_VALUE -> key.getStringValue();
      case NUMBER_VALUE -> String.valueOf(key.getNumberValue());
      case BOOLEAN_VALUE -> String.valueOf(key.getBooleanValue());
      case KEY_NOT_SET -> "-";
    };
  }
}
