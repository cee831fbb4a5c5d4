package io.rapport.platform;

import static java.util.stream.Collectors.toUnmodifiableSet;

import com.google.protobuf.ByteString;
import io.grpc.Status.Code;
import io.rapport.platform.v1.ErrorReason;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;

/** Writes that named a request, and what they were answered. */
final class RequestStore {
  /** What a write was answered, and the number of its commit. */
  record Answered(ByteString answer, long position) {}

  private record Place(String subject, UUID id) {}

  private static final Comparator<RequestKey> ORDER =
      Comparator.comparing(RequestKey::subject).thenComparing(RequestKey::id);

  /**
   * Makes the requests' rows; returns the requests whose row wasn't there. Waits for transactions
   * that have made one and have not ended.
   */
  Set<RequestKey> reserve(DSLContext tx, UUID tenant, Collection<RequestKey> keys) {
    if (keys.isEmpty()) {
      return Set.of();
    }
    List<RequestKey> sorted = keys.stream().sorted(ORDER).toList();
    Set<Place> made = new HashSet<>();
    tx.fetch(
            """
            INSERT INTO platform.requests (tenant_id, subject, request_id, digest)
            SELECT {0}, k.* FROM unnest({1}::text[], {2}::uuid[], {3}::bytea[]) k
            ON CONFLICT DO NOTHING RETURNING subject, request_id
            """,
            DSL.val(tenant),
            DSL.val(subjects(sorted)),
            DSL.val(ids(sorted)),
            DSL.val(sorted.stream().map(it -> it.digest().toByteArray()).toArray(byte[][]::new)))
        .forEach(row -> made.add(new Place(row.get(0, String.class), row.get(1, UUID.class))));
    return keys.stream()
        .filter(key -> made.contains(new Place(key.subject(), key.id())))
        .collect(toUnmodifiableSet());
  }

  static String[] subjects(Collection<RequestKey> keys) {
    return keys.stream().map(RequestKey::subject).toArray(String[]::new);
  }

  static UUID[] ids(Collection<RequestKey> keys) {
    return keys.stream().map(RequestKey::id).toArray(UUID[]::new);
  }

  /**
   * What the request was answered; throws if another one was made under its id. The first commit
   * may have been told to nobody because no replica had it; so this one leaves a record in the log
   * of the database, and waits until a replica has that.
   */
  Answered find(DSLContext tx, UUID tenant, RequestKey key) {
    Record row =
        tx.fetchSingle(
            """
            SELECT digest, answer, position, pg_logical_emit_message(true, 'rapport', '')::text
              FROM platform.requests
             WHERE tenant_id = {0} AND subject = {1} AND request_id = {2}
            """,
            DSL.val(tenant), DSL.val(key.subject()), DSL.val(key.id()));
    ByteString digest = ByteString.copyFrom(row.get(0, byte[].class));
    if (!digest.equals(key.digest())) {
      throw reused(key, digest);
    }
    return new Answered(ByteString.copyFrom(row.get(1, byte[].class)), row.get(2, Long.class));
  }

  private static ServiceException reused(RequestKey key, ByteString recorded) {
    return ServiceException.of(
            Code.ALREADY_EXISTS,
            ErrorReason.REQUEST_ID_REUSED,
            "another request was made under this request_id")
        .with("request_id", key.id().toString())
        .with("recorded_digest", hex(recorded))
        .with("sent_digest", hex(key.digest()));
  }

  private static String hex(ByteString digest) {
    return HexFormat.of().formatHex(digest.toByteArray());
  }
}
