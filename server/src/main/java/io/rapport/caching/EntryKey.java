package io.rapport.caching;

import com.google.protobuf.ByteString;
import io.rapport.caching.v1.AnalysisKey;
import io.rapport.caching.v1.CacheKey;
import io.rapport.caching.v1.PredictionKey;
import io.rapport.platform.Uuids;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.UUID;

/**
 * A key within its tenant, by the SHA-256 of a form in which every text stands behind its length:
 * so different keys can't look alike.
 *
 * @param id the beginning of the digest, as a UUID of version 8
 */
record EntryKey(CacheKey key, UUID id, ByteString digest) {
  /** In the order in which PostgreSQL has the ids. */
  static final Comparator<EntryKey> ORDER = Comparator.comparing(EntryKey::id, Uuids.ORDER);

  private static final String DATA_VERSION = "1.0";
  private static final long VERSION_MASK = 0xF000L;
  private static final long VERSION_8 = 0x8000L;
  private static final long VARIANT_MASK = 0xC000_0000_0000_0000L;
  private static final long VARIANT = 0x8000_0000_0000_0000L;

  static EntryKey of(PredictionKey key) {
    return of(CacheKey.newBuilder().setPrediction(key).build());
  }

  static EntryKey of(AnalysisKey key) {
    return of(CacheKey.newBuilder().setAnalysis(key).build());
  }

  static EntryKey of(CacheKey key) {
    byte[] digest = sha256(canonical(key));
    ByteBuffer bytes = ByteBuffer.wrap(digest);
    long high = (bytes.getLong() & ~VERSION_MASK) | VERSION_8;
    long low = (bytes.getLong() & ~VARIANT_MASK) | VARIANT;
    return new EntryKey(key, new UUID(high, low), ByteString.copyFrom(digest));
  }

  static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  private static byte[] canonical(CacheKey key) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeByte(key.getKeyCase().getNumber());
      switch (key.getKeyCase()) {
        case PREDICTION -> write(out, key.getPrediction());
        case ANALYSIS -> write(out, key.getAnalysis());
        case KEY_NOT_SET -> throw new IllegalStateException("the rules need a key");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static void write(DataOutputStream out, PredictionKey key) throws IOException {
    write(out, UUID.fromString(key.getUserId()));
    out.writeInt(key.getTypeValue());
    write(out, key.getName());
    write(out, key.getModelVersion());
  }

  private static void write(DataOutputStream out, AnalysisKey key) throws IOException {
    write(out, UUID.fromString(key.getUserId()));
    write(out, key.getType());
    write(out, key.getProjectId());
    write(out, key.getConversationId());
    write(out, key.getName());
    write(out, key.getDataVersion().isEmpty() ? DATA_VERSION : key.getDataVersion());
    write(out, key.getModelVersion());
  }

  private static void write(DataOutputStream out, UUID id) throws IOException {
    out.writeLong(id.getMostSignificantBits());
    out.writeLong(id.getLeastSignificantBits());
  }

  private static void write(DataOutputStream out, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  UUID user() {
    return UUID.fromString(
        key.hasPrediction() ? key.getPrediction().getUserId() : key.getAnalysis().getUserId());
  }

  /** Which of the caches it belongs to, as the table has it. */
  String cache() {
    return key.getKeyCase().name();
  }

  /** What sort of entry it is, as the table has it. */
  String type() {
    return key.hasPrediction() ? key.getPrediction().getType().name() : key.getAnalysis().getType();
  }
}
