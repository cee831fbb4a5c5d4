package io.rapport.platform;

import com.google.protobuf.ByteString;
import io.grpc.Status.Code;
import io.rapport.platform.v1.ErrorReason;
import java.util.HexFormat;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;

/** Writes that named a request, and what they were answered. */
final class RequestStore {
  /** What a write was answered, and the number of its commit. */
  record Answered(ByteString answer, long position) {}

  /**
   * Makes the request's row; false if it is there. Waits for a transaction that has made it and has
   * not ended.
   */
  boolean reserve(DSLContext tx, UUID tenant, RequestKey key) {
    return tx.execute(
            """
            INSERT INTO platform.requests (tenant_id, subject, request_id, digest)
            VALUES ({0}, {1}, {2}, {3}) ON CONFLICT DO NOTHING
            """,
            DSL.val(tenant),
            DSL.val(key.subject()),
            DSL.val(key.id()),
            DSL.val(key.digest().toByteArray()))
        == 1;
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
