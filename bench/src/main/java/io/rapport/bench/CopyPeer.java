package io.rapport.bench;

import com.google.protobuf.Timestamp;
import io.rapport.tracking.v1.Event;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;
import org.postgresql.util.ByteStreamWriter;

/**
 * The peer of ingest: the same rows by binary COPY into the same two tables, each chunk in one
 * commit, past row-level security.
 *
 * <p>It looks nothing up, refuses nothing and fails as a whole if one id is taken. Its rows are
 * encoded before the clock starts. Only the digests differ from the service's: bytes as random and
 * as many.
 */
final class CopyPeer {
  private static final String COPY_IDS =
      "COPY tracking.event_ids (tenant_id, event_id, digest, recorded_at)"
          + " FROM STDIN (FORMAT binary)";
  private static final String COPY_EVENTS =
      "COPY tracking.behavioral_events (tenant_id, id, user_id, event_type, event_data, event_text,"
          + " occurred_at, utc_offset_minutes, received_at, recorded_at) FROM STDIN (FORMAT binary)";
  private static final int ID_COLUMNS = 4;
  private static final int EVENT_COLUMNS = 10;

  private final UUID tenant;
  private final Map<String, UUID> users;

  /** Rows of one commit. */
  record Chunk(ByteBuffer ids, ByteBuffer events) {
    int size() {
      return ids.limit() + events.limit();
    }
  }

  private CopyPeer(UUID tenant, Map<String, UUID> users) {
    this.tenant = tenant;
    this.users = users;
  }

  /** For the tenant's users as they are known now. */
  static CopyPeer of(Connection admin, UUID tenant) throws SQLException {
    Map<String, UUID> users = new HashMap<>();
    try (PreparedStatement query =
        admin.prepareStatement(
            "SELECT subject, user_id FROM identity.identity_links"
                + " WHERE tenant_id = ? AND provider = ?")) {
      query.setObject(1, tenant);
      query.setString(2, Samples.PROVIDER);
      try (ResultSet rows = query.executeQuery()) {
        while (rows.next()) {
          users.put(rows.getString(1), rows.getObject(2, UUID.class));
        }
      }
    }
    return new CopyPeer(tenant, users);
  }

  List<Chunk> encode(List<Event> events, int chunkRows) throws NoSuchAlgorithmException {
    List<Chunk> chunks = new ArrayList<>();
    for (int from = 0; from < events.size(); from += chunkRows) {
      chunks.add(chunk(events.subList(from, Math.min(events.size(), from + chunkRows))));
    }
    return chunks;
  }

  /** The ids are sorted, which the index likes best. */
  private Chunk chunk(List<Event> events) throws NoSuchAlgorithmException {
    MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
    Instant now = Instant.now();
    Timestamp time =
        Timestamp.newBuilder().setSeconds(now.getEpochSecond()).setNanos(now.getNano()).build();
    CopyRows ids = new CopyRows();
    events.stream()
        .sorted(Comparator.comparing(Event::getId))
        .forEach(event ->
            ids.row(ID_COLUMNS)
                .uuid(tenant)
                .uuid(UUID.fromString(event.getId()))
                .bytes(sha256.digest(event.getIdBytes().toByteArray()))
                .time(time));
    CopyRows rows = new CopyRows();
    events.forEach(event -> add(rows, event, time));
    return new Chunk(ids.finish(), rows.finish());
  }

  private void add(CopyRows rows, Event event, Timestamp recorded) {
    UUID user = users.get(event.getIdentity().getSubject());
    if (user == null) {
      throw new IllegalStateException("a user isn't linked yet");
    }
    rows.row(EVENT_COLUMNS)
        .uuid(tenant)
        .uuid(UUID.fromString(event.getId()))
        .uuid(user)
        .text(event.getEventType())
        .json(event)
        .text(event.getText())
        .time(event.getOccurredAt())
        .minutes(event.getUtcOffsetMinutes())
        .time(event.getReceivedAt())
        .time(recorded);
  }

  /** Copies the chunks over these connections at the same time. */
  static void copy(List<Connection> connections, List<Chunk> chunks) throws Exception {
    if (connections.size() == 1) {
      copyAll(connections.getFirst(), chunks);
      return;
    }
    List<Future<?>> parts = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(connections.size())) {
      for (int i = 0; i < connections.size(); i++) {
        Connection connection = connections.get(i);
        List<Chunk> part =
            chunks.subList(
                chunks.size() * i / connections.size(),
                chunks.size() * (i + 1) / connections.size());
        parts.add(
            threads.submit(() -> {
              copyAll(connection, part);
              return part;
            }));
      }
      for (Future<?> part : parts) {
        part.get();
      }
    }
  }

  private static void copyAll(Connection connection, List<Chunk> chunks) throws SQLException {
    connection.setAutoCommit(false);
    for (Chunk chunk : chunks) {
      copy(connection, COPY_IDS, chunk.ids());
      copy(connection, COPY_EVENTS, chunk.events());
      connection.commit();
    }
  }

  private static void copy(Connection connection, String sql, ByteBuffer rows) throws SQLException {
    CopyIn copy = connection.unwrap(PGConnection.class).getCopyAPI().copyIn(sql);
    copy.writeToCopy(ByteStreamWriter.of(rows.duplicate()));
    copy.endCopy();
  }
}
