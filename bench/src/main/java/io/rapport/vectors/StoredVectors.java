package io.rapport.vectors;

import io.rapport.bench.Report;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.UUID;
import java.util.function.IntFunction;
import org.postgresql.PGConnection;
import org.postgresql.copy.PGCopyOutputStream;

/**
 * Settings whose descriptions are the sentences, with their vectors, in the database of a service.
 * Their types are the filters: JSON has one in 1,000, DECIMAL one in 100, BOOLEAN one in ten.
 */
public final class StoredVectors {
  public static final String KIND = "identity.system_setting";
  public static final String TABLE = "search.identity_system_settings_embeddings";
  public static final String INDEX = "idx_system_settings_embedding_hnsw";

  private static final byte[] COPY_HEAD =
      "PGCOPY\n\377\r\n\0".getBytes(StandardCharsets.ISO_8859_1);

  private final Connection admin;
  private final SentenceVectors vectors;

  /**
   * @param admin a connection of the superuser
   */
  public StoredVectors(Connection admin, SentenceVectors vectors) {
    this.admin = admin;
    this.vectors = vectors;
  }

  /** The id of a row, the same in each run; ids have no order that vectors share. */
  public static UUID id(int row) {
    long mixed = (row + 1) * 0x9E3779B97F4A7C15L;
    return new UUID(
        (mixed & ~0xf000L) | 0x4000L, (Long.rotateLeft(mixed, 32) & ~(3L << 62)) | (1L << 63));
  }

  /** The type of a row. */
  public static String type(int row) {
    int place = (int) Math.floorMod(((row + 1) * 0xD1B54A32D192ED03L) >>> 20, 1000L);
    if (place == 0) {
      return "JSON";
    }
    if (place <= 10) {
      return "DECIMAL";
    }
    return place <= 110 ? "BOOLEAN" : "STRING";
  }

  /** Puts them in, with the index built at the end; says what that took. */
  public void put(IntFunction<UUID> tenant) throws SQLException, IOException {
    execute("DROP INDEX search." + INDEX);
    execute(
        "CREATE TEMPORARY TABLE vectors_put (tenant_id uuid, id uuid, type text,"
            + " content text, embedding halfvec(1536))");
    copy(tenant);
    execute(
        """
        INSERT INTO identity.system_settings
          (tenant_id, id, setting_key, setting_value, setting_type, description)
        SELECT tenant_id, id, id::text, '1', type, content FROM vectors_put
        """);
    execute(
        """
        INSERT INTO search.embedding_models (tenant_id, kind, model, state)
        SELECT DISTINCT tenant_id, 'identity.system_setting', 'all-minilm-l6-v2-q', 'ACTIVE'
          FROM vectors_put
        """);
    execute(
        """
        INSERT INTO search.embeddings (tenant_id, kind, id, model, content_hash, embedding)
        SELECT d.tenant_id, d.kind, d.id, 'all-minilm-l6-v2-q', d.content_hash, v.embedding
          FROM vectors_put v JOIN search.documents d
            ON d.tenant_id = v.tenant_id AND d.kind = 'identity.system_setting' AND d.id = v.id
        """);
    execute("DROP TABLE vectors_put");
    execute("TRUNCATE search.stale_embeddings");
    execute(
        "CREATE INDEX IF NOT EXISTS ix_vectors_type"
            + " ON identity.system_settings (tenant_id, setting_type, id)");
    build();
    execute("VACUUM ANALYZE identity.system_settings");
    execute("VACUUM ANALYZE search.documents");
    execute("VACUUM ANALYZE " + TABLE);
    execute("CHECKPOINT");
  }

  private void build() throws SQLException {
    execute("SET maintenance_work_mem = '1GB'");
    execute("SET max_parallel_maintenance_workers = 0");
    long start = System.nanoTime();
    execute(
        "CREATE INDEX "
            + INDEX
            + " ON "
            + TABLE
            + " USING hnsw (embedding public.halfvec_cosine_ops) WITH (ef_construction = 128)");
    Report.say(
        "  %,d vectors; index built by one worker in %.1f s, %s; table %s",
        vectors.rows(),
        (System.nanoTime() - start) / 1e9,
        text("SELECT pg_size_pretty(pg_relation_size('search." + INDEX + "'))"),
        text("SELECT pg_size_pretty(pg_table_size('" + TABLE + "'))"));
  }

  private void copy(IntFunction<UUID> tenant) throws SQLException, IOException {
    try (OutputStream sent =
            new PGCopyOutputStream(
                admin.unwrap(PGConnection.class), "COPY vectors_put FROM STDIN BINARY");
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(sent, 1 << 20))) {
      out.write(COPY_HEAD);
      out.writeInt(0);
      out.writeInt(0);
      for (int row = 0; row < vectors.rows(); row++) {
        out.writeShort(5);
        write(out, uuid(tenant.apply(row)));
        write(out, uuid(id(row)));
        write(out, type(row).getBytes(StandardCharsets.UTF_8));
        write(out, vectors.text(row).getBytes(StandardCharsets.UTF_8));
        write(out, halves(vectors.row(row)));
      }
      out.writeShort(-1);
    }
  }

  private static void write(DataOutputStream out, byte[] value) throws IOException {
    out.writeInt(value.length);
    out.write(value);
  }

  private static byte[] uuid(UUID id) {
    return ByteBuffer.allocate(2 * Long.BYTES)
        .putLong(id.getMostSignificantBits())
        .putLong(id.getLeastSignificantBits())
        .array();
  }

  /** As pgvector sends it: the count, nothing, and the halves. */
  private static byte[] halves(float[] vector) {
    ByteBuffer bytes = ByteBuffer.allocate(2 * Short.BYTES + vector.length * Short.BYTES);
    bytes.putShort((short) vector.length).putShort((short) 0);
    for (float component : vector) {
      bytes.putShort(Float.floatToFloat16(component));
    }
    return bytes.array();
  }

  /** The hash of a row's text. */
  public byte[] hash(int row) throws SQLException {
    try (PreparedStatement read =
        admin.prepareStatement(
            "SELECT content_hash FROM search.documents"
                + " WHERE kind = 'identity.system_setting' AND id = ?")) {
      read.setObject(1, id(row));
      try (ResultSet rows = read.executeQuery()) {
        if (!rows.next()) {
          throw new IllegalStateException("row " + row + " isn't there");
        }
        return rows.getBytes(1);
      }
    }
  }

  private void execute(String sql) throws SQLException {
    try (Statement statement = admin.createStatement()) {
      statement.execute(sql);
    }
  }

  private String text(String sql) throws SQLException {
    try (Statement statement = admin.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      return rows.next() ? String.valueOf(rows.getString(1)) : "";
    }
  }
}
