package io.rapport.tracking.event;

import static io.rapport.server.Given.event;
import static io.rapport.server.Given.eventAt;
import static io.rapport.server.Given.eventOf;
import static io.rapport.server.Given.eventWith;
import static io.rapport.server.Given.events;
import static io.rapport.server.Given.identity;
import static io.rapport.server.Given.time;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.FieldMask;
import com.google.protobuf.Timestamp;
import com.google.rpc.Code;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Tokens;
import io.rapport.server.Told;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventFilter;
import io.rapport.tracking.v1.EventProperty;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.EventTimeRange;
import io.rapport.tracking.v1.EventTimeRange.Clock;
import io.rapport.tracking.v1.ListEventsRequest;
import io.rapport.tracking.v1.ListEventsRequest.Order;
import io.rapport.tracking.v1.ListEventsResponse;
import io.rapport.tracking.v1.NumberRange;
import io.rapport.tracking.v1.PropertyFilter;
import io.rapport.tracking.v1.StringSet;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ListEventsTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @Test
  void givesNewestFirstUnlessAskedOtherwise() {
    List<String> ids =
        record(
            eventAt("2026-01-02T00:00:00Z"),
            eventAt("2026-01-01T00:00:00Z"),
            eventAt("2026-01-03T00:00:00Z"));

    assertThat(ids(list(ListEventsRequest.newBuilder())))
        .containsExactly(ids.get(2), ids.get(0), ids.get(1));
    assertThat(ids(list(ListEventsRequest.newBuilder().setOrder(Order.OLDEST_FIRST))))
        .containsExactly(ids.get(1), ids.get(0), ids.get(2));
  }

  @Test
  void keepsLateEventsAndTheirOffsets() {
    List<String> ids =
        record(
            eventAt("1970-01-01T00:00:00Z").setUtcOffsetMinutes(345),
            eventAt("0001-01-01T00:00:00Z").setUtcOffsetMinutes(0),
            eventAt("9999-12-31T23:59:59.999999Z").setUtcOffsetMinutes(-1080));

    List<Event> found = walk(ListEventsRequest.newBuilder().setOrder(Order.OLDEST_FIRST), 1);

    assertThat(ids(found)).containsExactly(ids.get(1), ids.get(0), ids.get(2));
    assertThat(found).extracting(Event::getUtcOffsetMinutes).containsExactly(0, 345, -1080);
    assertThat(found).allMatch(Event::hasUtcOffsetMinutes);
    assertThat(found.getLast().getOccurredAt()).isEqualTo(time("9999-12-31T23:59:59.999999Z"));
  }

  @Test
  void findsAUsersEventsUnderTheUserAndUnderItsAliases() {
    List<String> ids = record(eventOf("ada"), eventOf("device"), eventOf("bob"));
    String ada = rapport.client().users().get(identity("ada")).orElseThrow().getId();
    String device = rapport.client().users().get(identity("device")).orElseThrow().getId();
    rapport.client().users().link(ada, identity("device"));

    for (EventFilter filter :
        List.of(
            EventFilter.newBuilder().setUserId(ada).build(),
            EventFilter.newBuilder().setUserId(device).build(),
            EventFilter.newBuilder().setIdentity(identity("ada")).build(),
            EventFilter.newBuilder().setIdentity(identity("device")).build())) {
      assertThat(ids(list(filter))).containsExactlyInAnyOrder(ids.get(0), ids.get(1));
    }
  }

  @Test
  void findsNothingOfAUserWhoIsNotThere() {
    record(event());

    assertThat(list(EventFilter.newBuilder().setIdentity(identity("nobody")).build())).isEmpty();
    assertThat(list(EventFilter.newBuilder().setUserId(Given.id()).build())).isEmpty();
  }

  @Test
  void findsTypes() {
    List<String> ids =
        record(event().setEventType("a"), event().setEventType("b"), event().setEventType("c"));

    assertThat(ids(list(EventFilter.newBuilder().addEventTypes("b").build())))
        .containsExactly(ids.get(1));
    assertThat(ids(list(EventFilter.newBuilder().addEventTypes("c").addEventTypes("a").build())))
        .containsExactlyInAnyOrder(ids.get(0), ids.get(2));
    assertThat(list(EventFilter.newBuilder().addEventTypes("' or true --").build())).isEmpty();
  }

  @Test
  void hasTheFirstInstantOfARangeAndNotItsEnd() {
    List<String> ids =
        record(
            eventAt("2026-01-01T00:00:00Z"),
            eventAt("2026-01-01T00:00:00.000001Z"),
            eventAt("2026-01-02T00:00:00Z"));
    EventTimeRange range =
        EventTimeRange.newBuilder()
            .setFrom(time("2026-01-01T00:00:00.000001Z"))
            .setTo(time("2026-01-02T00:00:00Z"))
            .build();

    assertThat(ids(list(EventFilter.newBuilder().setTime(range).build())))
        .containsExactly(ids.get(1));
  }

  @Test
  void listsByTheClockThatIsAskedFor() {
    List<String> ids =
        record(
            eventAt("2026-01-03T00:00:00Z").setReceivedAt(time("2026-02-01T00:00:00Z")),
            eventAt("2026-01-02T00:00:00Z").setReceivedAt(time("2026-02-02T00:00:00Z")),
            eventAt("2026-01-01T00:00:00Z"));

    assertThat(ids(list(by(Clock.OCCURRED_AT))))
        .containsExactly(ids.get(0), ids.get(1), ids.get(2));
    assertThat(ids(list(by(Clock.RECEIVED_AT)))).containsExactly(ids.get(1), ids.get(0));
    assertThat(ids(list(by(Clock.RECORDED_AT))))
        .containsExactly(ids.get(2), ids.get(1), ids.get(0));
  }

  @Test
  void findsByDeclaredProperties() {
    rapport.client().properties().declare("repo.name", EventProperty.Type.STRING);
    rapport.client().properties().declare("n", EventProperty.Type.NUMBER);
    rapport.client().properties().declare("ok", EventProperty.Type.BOOLEAN);
    List<String> ids =
        record(
            eventWith("{\"repo\":{\"name\":\"a\"},\"n\":1,\"ok\":true}"),
            eventWith("{\"repo\":{\"name\":\"b\"},\"n\":2.5,\"ok\":false}"),
            eventWith("{\"repo\":{\"name\":7},\"n\":\"2\",\"ok\":null}"),
            event());

    assertThat(ids(list(having(strings("repo.name", "b", "c"))))).containsExactly(ids.get(1));
    assertThat(ids(list(having(number("n", 1, 2.5)))))
        .containsExactlyInAnyOrder(ids.get(0), ids.get(1));
    assertThat(ids(list(having(PropertyFilter.newBuilder().setName("ok").setBoolean(false)))))
        .containsExactly(ids.get(1));
    assertThat(list(having(strings("repo.name", "a"), number("n", 2, 3)))).isEmpty();
  }

  @Test
  void refusesPropertiesThatAreNotDeclaredOrOfAnotherType() {
    rapport.client().properties().declare("n", EventProperty.Type.NUMBER);

    Told undeclared = Told.by(() -> list(having(strings("x", "a"))));
    Told mismatch = Told.by(() -> list(having(number("n", 0, 1), strings("n", "a"))));

    assertThat(undeclared.reason()).isEqualTo("PROPERTY_NOT_DECLARED");
    assertThat(undeclared.fields()).containsExactly("filter.properties[0].name");
    assertThat(mismatch.reason()).isEqualTo("PROPERTY_TYPE_MISMATCH");
    assertThat(mismatch.fields()).containsExactly("filter.properties[1]");
  }

  @ParameterizedTest
  @EnumSource(names = {"NEWEST_FIRST", "OLDEST_FIRST"})
  void walksPastEachEventOnceWhileOthersAreRecorded(Order order) {
    List<Event> sent = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      // four of each time, so that pages end between equals
      sent.add(eventAt("2026-01-01T00:00:%02dZ".formatted(i / 4)).build());
    }
    rapport.client().events().batch(sent);
    ListEventsRequest.Builder request =
        ListEventsRequest.newBuilder().setOrder(order).setPageSize(7);
    List<Event> seen = new ArrayList<>();
    ListEventsResponse page;
    do {
      page = call(request.build());
      seen.addAll(page.getEventsList());
      for (int n = 0; n < 20; n += 5) {
        record(eventAt("2026-01-01T00:00:%02dZ".formatted(n)));
      }
      request.setPageToken(page.getNextPageToken());
    } while (!page.getNextPageToken().isEmpty());

    assertThat(ids(seen)).doesNotHaveDuplicates();
    assertThat(ids(seen)).containsAll(ids(sent));
  }

  @Test
  void endsWithAnEmptyTokenAndOnlyThere() {
    rapport.client().events().batch(events(4));

    ListEventsResponse whole = call(ListEventsRequest.newBuilder().setPageSize(4).build());
    ListEventsResponse part = call(ListEventsRequest.newBuilder().setPageSize(3).build());

    assertThat(whole.getNextPageToken()).isEmpty();
    assertThat(part.getNextPageToken()).isNotEmpty();
  }

  @Test
  void limitsThePageSize() {
    rapport.client().events().batch(events(1002));

    assertThat(call(ListEventsRequest.getDefaultInstance()).getEventsCount()).isEqualTo(50);
    assertThat(
            call(ListEventsRequest.newBuilder().setPageSize(1_000_000_000).build())
                .getEventsCount())
        .isEqualTo(1000);
    assertThat(Told.by(() -> call(ListEventsRequest.newBuilder().setPageSize(-1).build())).fields())
        .containsExactly("page_size");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 1000})
  void cutsAPageAtOneMebibyteAndGoesOn(int pageSize) {
    List<Event> sent = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      sent.add(eventWith("{\"a\":[" + ("\"" + "x".repeat(990) + "\",").repeat(60) + "1]}").build());
    }
    rapport.client().events().batch(sent);

    ListEventsRequest request =
        ListEventsRequest.newBuilder().setPageSize(pageSize).setDataAsJson(true).build();
    ListEventsResponse first = call(request);

    assertThat(first.getSerializedSize()).isLessThan(1100 * 1024);
    assertThat(first.getEventsCount()).isBetween(1, 20);
    assertThat(ids(walk(request.toBuilder(), pageSize)))
        .containsExactlyInAnyOrderElementsOf(ids(sent));
  }

  @Test
  void showsTheFieldsThatAReadMaskNamesAndPagesOn() {
    rapport.client().events().batch(List.of(eventWith("{\"a\":1}").build(), event().build()));
    FieldMask mask = FieldMask.newBuilder().addPaths("id").addPaths("data_json").build();

    List<Event> shown = walk(ListEventsRequest.newBuilder().setReadMask(mask), 1);

    assertThat(shown)
        .allSatisfy(event ->
            assertThat(event.getAllFields().keySet())
                .extracting(FieldDescriptor::getName)
                .isSubsetOf("id", "data_struct", "data_json")
                .contains("id"));
    assertThat(shown).filteredOn(Event::hasDataStruct).isNotEmpty();
    assertThat(ids(shown)).doesNotHaveDuplicates().hasSize(2);
  }

  @Test
  void refusesAReadMaskThatNamesNoField() {
    FieldMask mask = FieldMask.newBuilder().addPaths("id").addPaths("identity.subject").build();

    Told told = Told.by(() -> call(ListEventsRequest.newBuilder().setReadMask(mask).build()));

    assertThat(told.reason()).isEqualTo("INVALID_FIELD");
    assertThat(told.fields()).containsExactly("read_mask.paths[1]");
  }

  @Test
  void refusesATokenWithAnyCharacterEdited() {
    rapport.client().events().batch(events(3));
    ListEventsRequest.Builder request = ListEventsRequest.newBuilder().setPageSize(1);
    String token = call(request.build()).getNextPageToken();

    for (int i = 0; i < token.length(); i++) {
      char other = token.charAt(i) == 'A' ? 'B' : 'A';
      String edited = token.substring(0, i) + other + token.substring(i + 1);
      Told told = Told.by(() -> call(request.clone().setPageToken(edited).build()));
      assertThat(told.reason()).isEqualTo("PAGE_TOKEN_INVALID");
    }
    for (String wrong : List.of("x", "=", "!!!", "a".repeat(4096), token + "=", token + "AAAA")) {
      Told told = Told.by(() -> call(request.clone().setPageToken(wrong).build()));
      assertThat(told.reason()).isEqualTo("PAGE_TOKEN_INVALID");
      assertThat(told.fields()).containsExactly("page_token");
    }
  }

  @Test
  void refusesATokenOfAnotherRequest() {
    rapport.client().events().batch(events(3));
    ListEventsRequest.Builder request = ListEventsRequest.newBuilder().setPageSize(1);
    request.setPageToken(call(request.build()).getNextPageToken());

    for (ListEventsRequest.Builder other :
        List.of(
            request.clone().setOrder(Order.OLDEST_FIRST),
            request.clone().setFilter(EventFilter.newBuilder().addEventTypes("page_view")))) {
      assertThat(Told.by(() -> call(other.build())).reason()).isEqualTo("PAGE_TOKEN_MISMATCH");
    }
    assertThat(call(request.clone().setPageSize(2).setDataAsJson(true).build()).getEventsCount())
        .isEqualTo(2);
  }

  @Test
  void refusesATokenOfAnotherTenant() {
    rapport.client().events().batch(events(3));
    ListEventsRequest.Builder request = ListEventsRequest.newBuilder().setPageSize(1);
    request.setPageToken(call(request.build()).getNextPageToken());
    UUID tenant = rapport.newTenant();
    var stub =
        EventServiceGrpc.newBlockingStub(
            rapport.channel(rapport.tokens().of(tenant, Tokens.ALL_RIGHTS)));

    Told told = Told.by(() -> stub.listEvents(request.build()));

    assertThat(told.reason()).isEqualTo("PAGE_TOKEN_INVALID");
  }

  @Test
  void refusesBadFilters() {
    Timestamp beyond = Timestamp.newBuilder().setSeconds(Long.MAX_VALUE).build();
    Timestamp before = Timestamp.newBuilder().setSeconds(Long.MIN_VALUE).build();
    Timestamp nanos = Timestamp.newBuilder().setNanos(1_000_000_000).build();
    Timestamp now = time("2026-01-01T00:00:00Z");
    for (EventTimeRange.Builder range :
        List.of(
            EventTimeRange.newBuilder().setFrom(beyond),
            EventTimeRange.newBuilder().setTo(before),
            EventTimeRange.newBuilder().setFrom(before).setTo(beyond),
            EventTimeRange.newBuilder().setFrom(now).setTo(nanos),
            EventTimeRange.newBuilder().setFrom(nanos),
            EventTimeRange.newBuilder().setClockValue(99),
            EventTimeRange.newBuilder().setFrom(time("2026-01-02T00:00:00Z")).setTo(now))) {
      assertInvalid(EventFilter.newBuilder().setTime(range));
    }
    assertInvalid(EventFilter.newBuilder().setUserId("x"));
    assertInvalid(EventFilter.newBuilder().addEventTypes(""));
    assertInvalid(EventFilter.newBuilder().addEventTypes("x".repeat(51)));
    assertInvalid(EventFilter.newBuilder().addProperties(PropertyFilter.newBuilder().setName("a")));
    assertInvalid(EventFilter.newBuilder().addProperties(number("a", 2, 1)));
    assertInvalid(EventFilter.newBuilder().addProperties(number("a", Double.NaN, 1)));
    assertInvalid(EventFilter.newBuilder().addProperties(strings("a")));
    Told nul = Told.by(() -> list(EventFilter.newBuilder().setIdentity(identity("a\0")).build()));
    assertThat(nul.reason()).isEqualTo("TEXT_NUL");
    assertThat(nul.fields()).containsExactly("filter.identity.subject");
  }

  private static void assertInvalid(EventFilter.Builder filter) {
    Told told = Told.by(() -> list(filter.build()));
    assertThat(told.code()).as(filter.toString()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.reason()).isEqualTo("INVALID_FIELD");
    assertThat(told.fields()).isNotEmpty().allMatch(it -> it.startsWith("filter."));
  }

  private static EventFilter by(Clock clock) {
    return EventFilter.newBuilder().setTime(EventTimeRange.newBuilder().setClock(clock)).build();
  }

  private static EventFilter having(PropertyFilter.Builder... properties) {
    EventFilter.Builder filter = EventFilter.newBuilder();
    for (PropertyFilter.Builder property : properties) {
      filter.addProperties(property);
    }
    return filter.build();
  }

  private static PropertyFilter.Builder strings(String name, String... values) {
    return PropertyFilter.newBuilder()
        .setName(name)
        .setStrings(StringSet.newBuilder().addAllValues(List.of(values)));
  }

  private static PropertyFilter.Builder number(String name, double min, double max) {
    return PropertyFilter.newBuilder()
        .setName(name)
        .setNumber(NumberRange.newBuilder().setMin(min).setMax(max));
  }

  /** Records one after the other, so that the time of recording is in their order. */
  private static List<String> record(Event.Builder... events) {
    List<String> ids = new ArrayList<>();
    for (Event.Builder event : events) {
      ids.add(rapport.client().events().track(event.build()).getEventId());
    }
    return ids;
  }

  private static List<Event> list(EventFilter filter) {
    return list(ListEventsRequest.newBuilder().setFilter(filter));
  }

  private static List<Event> list(ListEventsRequest.Builder request) {
    return call(request.build()).getEventsList();
  }

  private static List<Event> walk(ListEventsRequest.Builder request, int pageSize) {
    return rapport.client().events().list(request.setPageSize(pageSize).build()).toList();
  }

  private static ListEventsResponse call(ListEventsRequest request) {
    return EventServiceGrpc.newBlockingStub(rapport.channel()).listEvents(request);
  }

  private static List<String> ids(List<Event> events) {
    return events.stream().map(Event::getId).toList();
  }
}
