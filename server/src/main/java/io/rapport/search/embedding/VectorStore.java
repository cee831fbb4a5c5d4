package io.rapport.search.embedding;

import com.google.protobuf.ByteString;
import com.pgvector.PGhalfvec;
import io.rapport.platform.BinaryArray;
import io.rapport.platform.Times;
import io.rapport.search.Embedder;
import io.rapport.search.v1.Embedding;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;

/** Vectors in PostgreSQL. */
final class VectorStore {
  /**
   * The vectors come as one array: PostgreSQL has no arrays of arrays but of one length. What is
   * done is locked in the order in which claims are.
   */
  private static final String PUT =
      """
      WITH given AS (
        SELECT g.id, g.hash, (a.numbers)[(g.n - 1) * 1536 + 1 : g.n * 1536]::halfvec(1536) AS vector
          FROM unnest(?::uuid[], ?::bytea[]) WITH ORDINALITY AS g (id, hash, n),
            (SELECT ?::real[] AS numbers) a
      ), written AS (
        INSERT INTO search.embeddings AS e (tenant_id, kind, id, model, content_hash, embedding)
        SELECT ?::uuid, ?, id, ?, hash, vector FROM given ORDER BY id
        ON CONFLICT (tenant_id, kind, id, model) DO UPDATE SET
          content_hash = EXCLUDED.content_hash, embedding = EXCLUDED.embedding, embedded_at = now()
         WHERE e.content_hash <> EXCLUDED.content_hash OR e.embedding <> EXCLUDED.embedding
        RETURNING id
      ), done AS MATERIALIZED (
        SELECT s.tenant_id, s.kind, s.id, s.model FROM search.stale_embeddings s
         WHERE s.tenant_id = ?::uuid AND s.kind = ? AND s.model = ?
           AND s.id IN (SELECT id FROM given) ORDER BY s.id FOR UPDATE
      ), gone AS (
        DELETE FROM search.stale_embeddings s USING done d
         WHERE s.tenant_id = d.tenant_id AND s.kind = d.kind AND s.id = d.id AND s.model = d.model
      )
      SELECT id FROM written
      """;

  /**
   * A vector to be kept.
   *
   * @param hash of the text that it was made from
   */
  @SuppressWarnings("ArrayRecordComponent") // nobody compares them
  record Made(UUID id, ByteString hash, float[] vector) {}

  /**
   * The hashes of the texts of entities, held until the transaction ends, if nobody writes them.
   */
  Map<UUID, ByteString> hold(DSLContext tx, UUID owner, String kind, Collection<UUID> ids) {
    Map<UUID, ByteString> hashes = new HashMap<>();
    tx.fetch(
            "SELECT id, content_hash FROM search.hold_documents({0}, {1}, {2})",
            DSL.val(owner), DSL.val(kind), DSL.val(ids.toArray(UUID[]::new)))
        .forEach(row ->
            hashes.put(row.get(0, UUID.class), ByteString.copyFrom(row.get(1, byte[].class))));
    return hashes;
  }

  /** Those of the entities that have a text. */
  Set<UUID> present(DSLContext tx, UUID owner, String kind, Collection<UUID> ids) {
    return new HashSet<>(
        tx.fetch(
                """
                SELECT id FROM search.documents
                 WHERE tenant_id = {0} AND kind = {1} AND id = ANY ({2})
                """,
                DSL.val(owner), DSL.val(kind), DSL.val(ids.toArray(UUID[]::new)))
            .map(row -> row.get(0, UUID.class)));
  }

  /** Writes vectors of texts that are held; returns those that weren't there just so. */
  Set<UUID> put(DSLContext tx, UUID owner, String kind, String model, List<Made> made) {
    return tx.connectionResult(connection -> put(connection, owner, kind, model, made));
  }

  private static Set<UUID> put(
      Connection connection, UUID owner, String kind, String model, List<Made> made)
      throws SQLException {
    float[] numbers = new float[made.size() * Embedder.DIMENSIONS];
    for (int i = 0; i < made.size(); i++) {
      Vectors.putUnit(made.get(i).vector(), numbers, i * Embedder.DIMENSIONS);
    }
    try (PreparedStatement statement = connection.prepareStatement(PUT)) {
      statement.setArray(
          1, BinaryArray.of(connection, made.stream().map(Made::id).toArray(UUID[]::new)));
      statement.setArray(
          2,
          BinaryArray.ofBytes(
              connection, made.stream().map(Made::hash).toArray(ByteString[]::new)));
      statement.setArray(3, BinaryArray.ofReals(connection, numbers));
      for (int i : new int[] {4, 7}) {
        statement.setObject(i, owner);
        statement.setString(i + 1, kind);
        statement.setString(i + 2, model);
      }
      return ids(statement);
    }
  }

  private static Set<UUID> ids(PreparedStatement statement) throws SQLException {
    Set<UUID> ids = new HashSet<>();
    try (ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        ids.add(rows.getObject(1, UUID.class));
      }
    }
    return ids;
  }

  /** The vectors of entities, by their ids. */
  List<Embedding> list(
      DSLContext dsl, UUID owner, String kind, ModelStore.Model model, Collection<UUID> ids) {
    return dsl.connectionResult(connection -> {
      try (PreparedStatement statement =
          connection.prepareStatement(
              """
              SELECT e.id, e.content_hash, e.embedding, e.embedded_at,
                e.content_hash <> d.content_hash
                FROM search.embeddings e JOIN search.documents d
                  ON d.tenant_id = e.tenant_id AND d.kind = e.kind AND d.id = e.id
               WHERE e.tenant_id = ? AND e.kind = ? AND e.id = ANY (?) AND e.model = ?
               ORDER BY e.id
              """)) {
        statement.setObject(1, owner);
        statement.setString(2, kind);
        statement.setArray(3, BinaryArray.of(connection, ids.toArray(UUID[]::new)));
        statement.setString(4, model.name());
        return embeddings(statement, model);
      }
    });
  }

  private static List<Embedding> embeddings(PreparedStatement statement, ModelStore.Model model)
      throws SQLException {
    List<Embedding> found = new ArrayList<>();
    try (ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        float[] vector = new PGhalfvec(rows.getString(3)).toArray();
        found.add(
            Embedding.newBuilder()
                .setId(rows.getString(1))
                .setModel(model.name())
                .setContentHash(ByteString.copyFrom(rows.getBytes(2)))
                .addAllVector(Vectors.first(vector, model.dimensions()))
                .setEmbeddedAt(Times.proto(rows.getObject(4, OffsetDateTime.class).toInstant()))
                .setStale(rows.getBoolean(5))
                .build());
      }
    }
    return found;
  }
}
