package io.rapport.tracking.event;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import com.google.rpc.BadRequest.FieldViolation;
import io.rapport.identity.v1.Identity;
import io.rapport.platform.Caller;
import io.rapport.platform.Ids;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Times;
import io.rapport.platform.Uuids;
import io.rapport.platform.json.ByteWriter;
import io.rapport.platform.json.Json;
import io.rapport.platform.json.JsonWriter;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.tracking.contract.TenantContracts;
import io.rapport.tracking.contract.Verdict;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.Redaction;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import javax.crypto.Mac;
import org.jspecify.annotations.Nullable;

/**
 * Reads the events of one message: checks, redacts and digests them, and judges what is kept of
 * them by the contracts in force. For one thread.
 */
final class EventReader {
  private static final byte PURPOSE = 'E';
  private static final int TYPICAL_SIZE = 1024;

  private final Mac mac;
  private final TenantContracts contracts;
  private final ByteWriter bytes = new ByteWriter(TYPICAL_SIZE);

  EventReader(Caller.Tenant tenant, TenantContracts contracts) {
    this.mac = tenant.secret().mac();
    this.contracts = contracts;
  }

  /** The event, ready to be recorded; throws INVALID_ARGUMENT if it breaks a rule. */
  IncomingEvent read(Event event) {
    List<FieldViolation> violations = EventRules.violations(event);
    if (!violations.isEmpty()) {
      throw ServiceException.invalid(commonReason(violations), violations);
    }
    Map<String, @Nullable Object> data = data(event);
    if (data == null) {
      return incoming(event, new Kept(null, null, null), digest(event, null));
    }
    ByteString sent = json(data);
    requireSize(event, sent);
    Redactor redactor = new Redactor();
    Map<String, @Nullable Object> redacted = redactor.redact(data);
    Redaction report = redactor.report();
    ByteString kept = report == null ? sent : json(redacted);
    return incoming(event, new Kept(redacted, kept, report), digest(event, sent));
  }

  /** An event that was read before, as it was kept. */
  IncomingEvent readKept(Event event, ByteString digest) {
    if (!event.hasDataJson()) {
      return incoming(event, new Kept(null, null, null), digest);
    }
    Map<String, @Nullable Object> data = Json.parseStored(event.getDataJson().toByteArray());
    return incoming(event, new Kept(data, json(data), null), digest);
  }

  /** What is kept of an event's data. */
  private record Kept(
      @Nullable Map<String, @Nullable Object> data,
      @Nullable ByteString json,
      @Nullable Redaction redaction) {}

  private static ErrorReason commonReason(List<FieldViolation> violations) {
    String first = violations.getFirst().getReason();
    boolean common = violations.stream().allMatch(it -> it.getReason().equals(first));
    return common ? ErrorReason.valueOf(first) : ErrorReason.INVALID_FIELD;
  }

  private static @Nullable Map<String, @Nullable Object> data(Event event) {
    return switch (event.getDataCase()) {
      case DATA_JSON -> Json.parse(event.getDataJson().toByteArray(), "data_json");
      case DATA_STRUCT -> Json.parse(event.getDataStruct(), "data_struct");
      case DATA_NOT_SET -> null;
    };
  }

  /** JSON bytes are measured as they come, by the rules. */
  private static void requireSize(Event event, ByteString json) {
    if (event.hasDataStruct() && json.size() > EventRules.MAX_DATA_BYTES) {
      throw ServiceException.invalid(
          "data_struct", ErrorReason.INVALID_FIELD, "must have at most 65536 bytes as JSON");
    }
  }

  private ByteString json(Map<String, @Nullable Object> data) {
    bytes.clear();
    JsonWriter.write(data, bytes);
    return UnsafeByteOperations.unsafeWrap(bytes.copy());
  }

  /** Every field counts, each with its length, so that two events never look alike. */
  private ByteString digest(Event event, @Nullable ByteString json) {
    bytes.clear();
    bytes.putByte(PURPOSE);
    UUID user = Uuids.parse(event.getUserId());
    sized(user == null ? "" : user.toString());
    sized(event.getIdentity().getProvider());
    sized(event.getIdentity().getSubject());
    sized(event.getEventType());
    optional(event.hasOccurredAt(), Times.micros(event.getOccurredAt()));
    optional(event.hasUtcOffsetMinutes(), event.getUtcOffsetMinutes());
    optional(event.hasReceivedAt(), Times.micros(event.getReceivedAt()));
    bytes.putInt(json == null ? -1 : json.size());
    if (json != null) {
      bytes.putBytes(json);
    }
    sized(event.getText());
    mac.update(bytes.array(), 0, bytes.size());
    return UnsafeByteOperations.unsafeWrap(mac.doFinal());
  }

  private void sized(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    bytes.putInt(utf8.length).putBytes(utf8);
  }

  private void optional(boolean present, long value) {
    bytes.putByte(present ? 1 : 0).putLong(value);
  }

  /** Without fields that this version doesn't know: two identities must differ by what they say. */
  private static Identity known(Identity identity) {
    return identity.getUnknownFields().asMap().isEmpty()
        ? identity
        : Identity.newBuilder()
            .setProvider(identity.getProvider())
            .setSubject(identity.getSubject())
            .build();
  }

  private IncomingEvent incoming(Event event, Kept kept, ByteString digest) {
    UUID id = Uuids.parse(event.getId());
    Identity identity = event.hasIdentity() ? known(event.getIdentity()) : null;
    Verdict verdict = contracts.check(event.getEventType(), kept.data());
    String text =
        event.getText().isEmpty()
            ? contracts.text(event.getEventType(), kept.data())
            : event.getText();
    return new IncomingEvent(
        id == null ? Ids.next() : id,
        id != null,
        Uuids.parse(event.getUserId()),
        identity,
        event.getEventType(),
        event.hasOccurredAt() ? Times.micros(event.getOccurredAt()) : null,
        event.hasUtcOffsetMinutes() ? event.getUtcOffsetMinutes() : null,
        event.hasReceivedAt() ? Times.micros(event.getReceivedAt()) : null,
        kept.json(),
        text,
        !text.isBlank() && contracts.namesText(event.getEventType()),
        digest,
        kept.redaction(),
        verdict,
        verdict == null ? null : Stamp.toJson(verdict.violations()));
  }
}
