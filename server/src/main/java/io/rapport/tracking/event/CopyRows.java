package io.rapport.tracking.event;

import com.google.protobuf.ByteString;
import io.rapport.platform.Times;
import io.rapport.platform.json.ByteWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.ByteStreamWriter;

/**
 * Events as the rows of a binary COPY. The format is PostgreSQL's:
 * https://www.postgresql.org/docs/15/sql-copy.html, "Binary Format".
 */
final class CopyRows {
  /** Copies the rows into a partition. */
  static final String STATEMENT =
      """
      COPY tracking.%s (tenant_id, id, user_id, event_type, event_data, event_text,
        occurred_at, utc_offset_minutes, received_at, recorded_at, batch,
        contract_version, violations)
      FROM STDIN (FORMAT binary)
      """;

  private static final byte[] SIGNATURE =
      "PGCOPY\n\377\r\n\0".getBytes(StandardCharsets.ISO_8859_1);
  private static final int COLUMNS = 13;
  private static final int NULL = -1;
  private static final int JSONB_VERSION = 1;
  private static final int INITIAL = 256 * 1024;

  private final ByteWriter out = new ByteWriter(INITIAL);
  private final long recordedMicros;
  private final long batch;

  CopyRows(long recordedMicros, long batch) {
    this.recordedMicros = recordedMicros;
    this.batch = batch;
    out.putBytes(SIGNATURE).putInt(0).putInt(0);
  }

  void add(EventBatch.Entry entry) {
    IncomingEvent event = entry.event();
    out.putShort(COLUMNS);
    out.putInt(2 * Long.BYTES).putUuid(entry.tenant());
    out.putInt(2 * Long.BYTES).putUuid(event.id());
    out.putInt(2 * Long.BYTES).putUuid(entry.user());
    putText(event.type());
    putJson(event.json());
    putText(event.text().isEmpty() ? null : event.text());
    Long occurred = event.occurredMicros();
    putTime(occurred == null ? Long.valueOf(recordedMicros) : occurred);
    putShort(event.offsetMinutes());
    putTime(event.receivedMicros());
    putTime(Long.valueOf(recordedMicros));
    out.putInt(Long.BYTES).putLong(batch);
    putInt(event.contractVersion());
    putJson(event.violations());
  }

  /** The rows; nothing may be added any more. */
  ByteStreamWriter finish() {
    out.putShort(-1);
    return ByteStreamWriter.of(ByteBuffer.wrap(out.array(), 0, out.size()));
  }

  private void putText(@Nullable String text) {
    if (text == null) {
      out.putInt(NULL);
      return;
    }
    int place = out.reserveInt();
    int start = out.size();
    out.putText(text);
    out.setInt(place, out.size() - start);
  }

  private void putJson(@Nullable ByteString json) {
    if (json == null) {
      out.putInt(NULL);
    } else {
      out.putInt(1 + json.size()).putByte(JSONB_VERSION).putBytes(json);
    }
  }

  private void putTime(@Nullable Long micros) {
    if (micros == null) {
      out.putInt(NULL);
    } else {
      out.putInt(Long.BYTES).putLong(Times.sincePostgresEpoch(micros));
    }
  }

  private void putInt(@Nullable Integer value) {
    if (value == null) {
      out.putInt(NULL);
    } else {
      out.putInt(Integer.BYTES).putInt(value);
    }
  }

  private void putShort(@Nullable Integer value) {
    if (value == null) {
      out.putInt(NULL);
    } else {
      out.putInt(Short.BYTES).putShort(value);
    }
  }
}
