package io.rapport.tracking.event;

import static io.rapport.server.Given.event;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.ListValue;
import com.google.protobuf.Struct;
import com.google.protobuf.Timestamp;
import com.google.protobuf.Value;
import com.google.rpc.Code;
import io.rapport.identity.v1.Identity;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.RawCalls;
import io.rapport.server.Told;
import io.rapport.tracking.v1.BatchTrackEventsRequest;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.EventOutcome.Result;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.GetEventRequest;
import io.rapport.tracking.v1.TrackEventRequest;
import java.io.ByteArrayOutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Events that break a rule: each is refused by name, leaves nothing behind and isn't echoed. */
class BadEventTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  /** Stands in every content that must not come back. */
  private static final String CANARY = "Canary-7f3a";

  record Bad(String what, Event event, String reason, String field) {
    @Override
    public String toString() {
      return what;
    }
  }

  static Stream<Bad> badTexts() {
    return Stream.of(
        bad("no type", event().clearEventType(), "INVALID_FIELD", "event_type"),
        bad("capital type", event().setEventType(CANARY), "INVALID_FIELD", "event_type"),
        bad("blank type", event().setEventType(" "), "INVALID_FIELD", "event_type"),
        bad("type and line", event().setEventType("a\n"), "INVALID_FIELD", "event_type"),
        bad("type of 51", event().setEventType("a".repeat(51)), "INVALID_FIELD", "event_type"),
        bad("NUL in type", event().setEventType("a\0b"), "INVALID_FIELD", "event_type"),
        bad("homoglyph type", event().setEventType("pаge"), "INVALID_FIELD", "event_type"),
        bad("injected type", event().setEventType("a'; --"), "INVALID_FIELD", "event_type"),
        bad("forged line", event().setEventType("a\r\nINFO ok"), "INVALID_FIELD", "event_type"),
        bad("jndi", event().setEventType("${jndi:ldap://x}"), "INVALID_FIELD", "event_type"),
        bad("NUL in text", event().setText(CANARY + "\0"), "TEXT_NUL", "text"),
        bad("long text", event().setText(CANARY + "x".repeat(9_990)), "INVALID_FIELD", "text"),
        bad("long emoji text", event().setText("😀".repeat(10_001)), "INVALID_FIELD", "text"),
        bad("combining marks", event().setText("\u0301".repeat(400_000)), "INVALID_FIELD", "text"),
        bad("no user", event().clearIdentity(), "INVALID_FIELD", "user_id"),
        bad("two users", event().setUserId(Given.id()), "INVALID_FIELD", "user_id"),
        bad("empty subject", by("test", ""), "INVALID_FIELD", "identity.subject"),
        bad("long subject", by("test", "x".repeat(256)), "INVALID_FIELD", "identity.subject"),
        bad("NUL in subject", by("test", CANARY + "\0"), "TEXT_NUL", "identity.subject"),
        bad("no provider", by("", "x"), "INVALID_FIELD", "identity.provider"),
        bad("capital provider", by(CANARY, "x"), "INVALID_FIELD", "identity.provider"),
        bad("provider path", by("../../etc", "x"), "INVALID_FIELD", "identity.provider"));
  }

  static Stream<Bad> badIds() {
    return Stream.of(
            CANARY,
            "1-1-1-1-1",
            "{00000000-0000-0000-0000-000000000001}",
            "urn:uuid:00000000-0000-0000-0000-000000000001",
            "00000000000000000000000000000001",
            "00000000-0000-0000-0000-00000000000g",
            "00000000-0000-0000-0000-000000000001\n",
            "00000000-0000-0000-0000-00000000000１",
            "\0",
            " ")
        .flatMap(id ->
            Stream.of(
                bad("id " + id.strip(), event().setId(id), "INVALID_FIELD", "id"),
                bad(
                    "user " + id.strip(),
                    event().clearIdentity().setUserId(id),
                    "INVALID_FIELD",
                    "user_id")));
  }

  static Stream<Bad> badNumbers() {
    return Stream.of(
        bad("offset 1081", event().setUtcOffsetMinutes(1081), INVALID, "utc_offset_minutes"),
        bad("offset -1081", event().setUtcOffsetMinutes(-1081), INVALID, "utc_offset_minutes"),
        bad("offset min", event().setUtcOffsetMinutes(1 << 31), INVALID, "utc_offset_minutes"),
        occurred("year 0", -62_135_596_801L, 0),
        occurred("year 10000", 253_402_300_800L, 0),
        occurred("negative seconds", Long.MIN_VALUE, 0),
        occurred("huge seconds", Long.MAX_VALUE, 0),
        occurred("nanos 10^9", 0, 1_000_000_000),
        occurred("negative nanos", 0, -1),
        bad(
            "received in year 10000",
            event().setReceivedAt(seconds(253_402_300_800L, 0)),
            INVALID,
            "received_at"));
  }

  private static final String INVALID = "INVALID_FIELD";

  static Stream<Bad> badJson() {
    return Stream.of(
        json("empty", "", "JSON_INVALID"),
        json("array", "[1]", "JSON_INVALID"),
        json("text", "\"" + CANARY + "\"", "JSON_INVALID"),
        json("two", "{}{}", "JSON_INVALID"),
        json("rest", "{} " + CANARY, "JSON_INVALID"),
        json("open", "{\"" + CANARY + "\":", "JSON_INVALID"),
        json("unquoted", "{" + CANARY + ":1}", "JSON_INVALID"),
        json("comment", "{/*" + CANARY + "*/}", "JSON_INVALID"),
        json("trailing comma", "{\"a\":1,}", "JSON_INVALID"),
        json("NaN", "{\"a\":NaN}", "JSON_INVALID"),
        json("Infinity", "{\"a\":-Infinity}", "JSON_INVALID"),
        json("leading zero", "{\"a\":01}", "JSON_INVALID"),
        json("raw control", "{\"a\":\"\u0001\"}", "JSON_INVALID"),
        json("raw NUL", "{\"a\":\"\0\"}", "JSON_INVALID"),
        json("escaped NUL", "{\"a\":\"x\\u0000\"}", "TEXT_NUL"),
        json("NUL in key", "{\"x\\u0000\":1}", "TEXT_NUL"),
        json("half pair", "{\"a\":\"\\ud83d\"}", "TEXT_INVALID_UNICODE"),
        json("other half", "{\"a\":\"\\ude00\"}", "TEXT_INVALID_UNICODE"),
        json("pair reversed", "{\"a\":\"\\ude00\\ud83d\"}", "TEXT_INVALID_UNICODE"),
        json("half pair in key", "{\"\\ud83d\":1}", "JSON_INVALID"),
        json("depth 33", nested(33), "JSON_TOO_DEEP"),
        json("depth 1000", nested(1000), "JSON_TOO_DEEP"),
        json("arrays of depth 33", arrays(33), "JSON_TOO_DEEP"),
        json("duplicate key", "{\"" + CANARY + "\":1,\"" + CANARY + "\":2}", "JSON_DUPLICATE_KEY"),
        json("escaped duplicate", "{\"a\":1,\"\\u0061\":1}", "JSON_DUPLICATE_KEY"),
        json("inner duplicate", "{\"b\":[{\"a\":1,\"a\":1}]}", "JSON_DUPLICATE_KEY"),
        json("1e400", "{\"a\":1e400}", "NUMBER_OUT_OF_RANGE"),
        json("-1e400", "{\"a\":-1e400}", "NUMBER_OUT_OF_RANGE"),
        json("1e-400", "{\"a\":1e-400}", "NUMBER_OUT_OF_RANGE"),
        json("1e999999999", "{\"a\":1e999999999}", "NUMBER_OUT_OF_RANGE"),
        json("1e-2147483647", "{\"a\":1e-2147483647}", "NUMBER_OUT_OF_RANGE"),
        json("1e9999999999", "{\"a\":1e9999999999}", "NUMBER_OUT_OF_RANGE"),
        json("501 digits", "{\"a\":" + "1".repeat(501) + "}", "NUMBER_OUT_OF_RANGE"),
        json("400 digits", "{\"a\":" + "1".repeat(400) + "}", "NUMBER_OUT_OF_RANGE"),
        json("65,537 bytes", "{\"a\":\"" + "x".repeat(65_529) + "\"}", "INVALID_FIELD"),
        bytes("over-long A", "{\"a\":\"", new byte[] {(byte) 0xC1, (byte) 0x81}),
        bytes("over-long NUL", "{\"a\":\"", new byte[] {(byte) 0xC0, (byte) 0x80}),
        bytes("over-long slash", "{\"a\":\"", new byte[] {(byte) 0xE0, (byte) 0x80, (byte) 0xAF}),
        bytes("UTF-8 surrogate", "{\"a\":\"", new byte[] {(byte) 0xED, (byte) 0xA0, (byte) 0x80}),
        bytes("stray byte", "{\"a\":\"", new byte[] {(byte) 0xFF}),
        bytes("over-long key", "{\"", new byte[] {(byte) 0xC1, (byte) 0x81}),
        bad("UTF-16", utf(StandardCharsets.UTF_16BE), "JSON_INVALID", "data_json"),
        bad("UTF-16 little", utf(StandardCharsets.UTF_16LE), "JSON_INVALID", "data_json"),
        bad("UTF-32", utf(StandardCharsets.UTF_32BE), "JSON_INVALID", "data_json"));
  }

  static Stream<Bad> badStructs() {
    return Stream.of(
        struct("NaN", number(Double.NaN), "NUMBER_NOT_EXACT"),
        struct("Infinity", number(Double.POSITIVE_INFINITY), "NUMBER_NOT_EXACT"),
        struct("-Infinity", number(Double.NEGATIVE_INFINITY), "NUMBER_NOT_EXACT"),
        struct("2^53", number(9_007_199_254_740_992.0), "NUMBER_NOT_EXACT"),
        struct("1e300", number(1e300), "NUMBER_NOT_EXACT"),
        struct("no kind", Value.getDefaultInstance(), "JSON_INVALID"),
        struct("NUL", Value.newBuilder().setStringValue("a\0").build(), "TEXT_NUL"),
        bad("key with NUL", structOf("a\0" + CANARY), "TEXT_NUL", "data_struct"),
        struct("depth 33 by lists", lists(32), "JSON_TOO_DEEP"),
        struct("large text", text(65_530), "INVALID_FIELD"),
        bad("10^4 keys of 10 bytes", manyKeys(10_000), "INVALID_FIELD", "data_struct"));
  }

  @ParameterizedTest
  @MethodSource({"badTexts", "badIds", "badNumbers", "badJson", "badStructs"})
  void refusesItAlone(Bad bad) {
    Told told = Told.by(() -> track(bad.event()));

    assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.reason()).isEqualTo(bad.reason());
    assertThat(told.fields()).contains("event." + bad.field());
    assertThat(told.status().toString()).doesNotContain(CANARY);
    assertThat(rows()).isZero();
  }

  @Test
  void refusesEachInABatchAndRecordsTheOthers() {
    List<Bad> bad =
        Stream.of(badTexts(), badIds(), badNumbers(), badJson(), badStructs())
            .flatMap(it -> it)
            .filter(it -> it.event().getSerializedSize() < 100_000)
            .toList();
    BatchTrackEventsRequest.Builder batch = BatchTrackEventsRequest.newBuilder();
    bad.forEach(it -> batch.addEvents(it.event()).addEvents(event()));

    List<EventOutcome> outcomes =
        EventServiceGrpc.newBlockingStub(rapport.channel())
            .batchTrackEvents(batch.build())
            .getOutcomesList();

    for (int i = 0; i < bad.size(); i++) {
      EventOutcome outcome = outcomes.get(2 * i);
      Told told = new Told(outcome.getError());
      assertThat(outcome.getResult()).as(bad.get(i).what()).isEqualTo(Result.REFUSED);
      assertThat(told.reason()).as(bad.get(i).what()).isEqualTo(bad.get(i).reason());
      assertThat(told.fields()).contains(bad.get(i).field());
      assertThat(outcome.toString()).doesNotContain(CANARY);
      assertThat(outcomes.get(2 * i + 1).getResult()).isEqualTo(Result.RECORDED);
    }
    assertThat(rows()).isEqualTo(bad.size());
  }

  @Test
  void refusesAStructThatIsNestedTooDeepToBeRead() {
    Event event = event().setDataStruct(deepStruct(40)).build();

    Told told = Told.by(() -> track(event));

    assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.reason()).isEqualTo("JSON_TOO_DEEP");
    assertThat(rows()).isZero();
  }

  @Test
  void refusesAMessageOverItsSize() {
    Event event = event().setDataStruct(struct(text(5_000_000))).build();

    Told told = Told.by(() -> track(event));

    assertThat(told.code()).isEqualTo(Code.RESOURCE_EXHAUSTED);
    assertThat(told.reason()).isEqualTo("MESSAGE_TOO_LARGE");
    assertThat(rows()).isZero();
  }

  @Test
  void refusesTextThatIsNotUtf8() {
    byte[] type = {'a', (byte) 0xC0, (byte) 0x80};
    byte[] event = field(4, type);

    Told told = Told.by(() -> trackRaw(field(1, event)));

    assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.reason()).isEqualTo("MESSAGE_MALFORMED");
  }

  @Test
  void refusesAMessageThatIsCutAtAnyByte() {
    byte[] whole = TrackEventRequest.newBuilder().setEvent(event()).build().toByteArray();

    for (int length = 1; length < whole.length; length += 7) {
      byte[] cut = Arrays.copyOf(whole, length);
      Told told = Told.by(() -> trackRaw(cut));
      assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
      assertThat(told.reason()).isEqualTo("MESSAGE_MALFORMED");
    }

    assertThat(rows()).isZero();
  }

  @Test
  void refusesARequestWithoutAnEvent() {
    Told told = Told.by(() -> trackRaw(new byte[0]));

    assertThat(told.reason()).isEqualTo("INVALID_FIELD");
    assertThat(told.fields()).containsExactly("event");
  }

  @Test
  void takesWhatIsUnusualButAllowed() {
    List<Event> events =
        List.of(
            event().setId(new UUID(0, 0).toString()).build(),
            event().setId("ABCDEFAB-CDEF-4BCD-8BCD-ABCDEFABCDEF").build(),
            event().setId("ffffffff-ffff-ffff-ffff-ffffffffffff").build(),
            event().setEventType("a".repeat(50)).build(),
            event().setText("😀".repeat(10_000)).build(),
            event().setText("\r\n%n%s${jndi:ldap://x}'; --<script>\u202e\u200b").build(),
            by("test", "😀".repeat(255)).build(),
            event().setUtcOffsetMinutes(-1080).build(),
            event().setOccurredAt(seconds(-62_135_596_800L, 0)).build(),
            event().setOccurredAt(seconds(253_402_300_799L, 999_999_999)).build(),
            json("depth 32", nested(32), "").event(),
            json("arrays of depth 32", arrays(32), "").event(),
            json("policy keys", "{\"__proto__\":1,\"$where\":1,\"\":1,\"a.b\":1}", "").event(),
            json("65,536 bytes", "{\"a\":\"" + "x".repeat(65_528) + "\"}", "").event(),
            json("long key", "{\"" + "x".repeat(60_000) + "\":1}", "").event(),
            json("largest", "{\"a\":1.7976931348623157e308,\"b\":4.9e-324,\"c\":-0.0}", "").event(),
            json("2^63", "{\"a\":9223372036854775808,\"b\":-9223372036854775808}", "").event(),
            event().setDataStruct(deepStruct(32)).build(),
            struct("2^53 - 1", number(9_007_199_254_740_991.0), "").event());

    for (Event event : events) {
      assertThat(track(event).getResult()).as(event.toString()).isEqualTo(Result.RECORDED);
      Event read = read(event.getId());
      assertThat(read.getText()).isEqualTo(event.getText());
    }
  }

  private static EventOutcome track(Event event) {
    return EventServiceGrpc.newBlockingStub(rapport.channel())
        .trackEvent(TrackEventRequest.newBuilder().setEvent(event).build())
        .getOutcome();
  }

  private static Event read(String id) {
    GetEventRequest request = GetEventRequest.newBuilder().setId(id).setDataAsJson(true).build();
    return rapport.client().events().get(request).orElseThrow();
  }

  private static byte[] trackRaw(byte[] request) {
    return RawCalls.unary(rapport.channel(), EventServiceGrpc.getTrackEventMethod(), request);
  }

  private static int rows() {
    return rapport
        .sql()
        .fetchSingle(
            "SELECT count(*) FROM tracking.event_ids WHERE tenant_id = ?", rapport.tenant())
        .get(0, Integer.class);
  }

  private static byte[] field(int number, byte[] value) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(number << 3 | 2);
    out.write(value.length);
    out.writeBytes(value);
    return out.toByteArray();
  }

  private static Bad bad(String what, Event.Builder event, String reason, String field) {
    return new Bad(what, event.build(), reason, field);
  }

  private static Event.Builder by(String provider, String subject) {
    return event()
        .setIdentity(Identity.newBuilder().setProvider(provider).setSubject(subject).build());
  }

  private static Bad occurred(String what, long seconds, int nanos) {
    return bad(what, event().setOccurredAt(seconds(seconds, nanos)), INVALID, "occurred_at");
  }

  private static Timestamp seconds(long seconds, int nanos) {
    return Timestamp.newBuilder().setSeconds(seconds).setNanos(nanos).build();
  }

  private static Bad json(String what, String json, String reason) {
    return bad(what, Given.eventWith(json), reason, "data_json");
  }

  private static Bad bytes(String what, String before, byte[] wrong) {
    ByteString json =
        ByteString.copyFromUtf8(before)
            .concat(ByteString.copyFrom(wrong))
            .concat(ByteString.copyFromUtf8("\":1}"));
    return bad(what, event().setDataJson(json), "JSON_INVALID", "data_json");
  }

  private static Event.Builder utf(Charset charset) {
    return event().setDataJson(ByteString.copyFrom("{\"a\":1}", charset));
  }

  private static String nested(int depth) {
    return "{\"a\":".repeat(depth - 1) + "{}" + "}".repeat(depth - 1);
  }

  private static String arrays(int depth) {
    return "{\"a\":" + "[".repeat(depth - 1) + "]".repeat(depth - 1) + "}";
  }

  private static Bad struct(String what, Value value, String reason) {
    return bad(what, event().setDataStruct(struct(value)), reason, "data_struct");
  }

  private static Struct struct(Value value) {
    return Struct.newBuilder().putFields("a", value).build();
  }

  private static Event.Builder structOf(String name) {
    return event().setDataStruct(Struct.newBuilder().putFields(name, number(1)));
  }

  private static Value number(double value) {
    return Value.newBuilder().setNumberValue(value).build();
  }

  private static Value text(int length) {
    return Value.newBuilder().setStringValue("x".repeat(length)).build();
  }

  private static Value lists(int depth) {
    Value value = number(1);
    for (int i = 0; i < depth; i++) {
      value = Value.newBuilder().setListValue(ListValue.newBuilder().addValues(value)).build();
    }
    return value;
  }

  private static Struct deepStruct(int depth) {
    Struct struct = Struct.getDefaultInstance();
    for (int i = 1; i < depth; i++) {
      struct = struct(Value.newBuilder().setStructValue(struct).build());
    }
    return struct;
  }

  private static Event.Builder manyKeys(int count) {
    Struct.Builder struct = Struct.newBuilder();
    for (int i = 0; i < count; i++) {
      struct.putFields("n%05d".formatted(i), number(1));
    }
    return event().setDataStruct(struct);
  }
}
