package io.rapport.monitoring.memory;

import static io.rapport.db.generated.monitoring.Tables.AI_LEARNING_MEMORY;

import io.rapport.monitoring.v1.LearningEntry;
import io.rapport.monitoring.v1.LearningEntry.Feedback;
import io.rapport.monitoring.v1.ListLearningEntriesRequest;
import io.rapport.monitoring.v1.SimilarLearningEntry;
import io.rapport.platform.Etags;
import io.rapport.platform.RowPage;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.platform.json.Json;
import io.rapport.platform.watch.InitialState;
import io.rapport.platform.watch.PresentRowsStore;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Learning memories in PostgreSQL. */
final class MemoryStore {
  /** What entries are called in the change log. */
  static final String KIND = "monitoring.learning_memory";

  private static final String COLUMNS =
      """
      id, error_type, user_intent, failed_query, specific_issue, suggested_fix, confidence,
        learning_context::text AS learning_context, corrected_query, user_feedback, user_correction,
        message_id, validation_type, retry_count, pattern_hash, resolution_time_ms,
        validation_passed, feedback_at, active, created_at, updated_at, revision
      """;

  /** Who records waits for others who do: so no two pass over the bound together. */
  private static final String LOCK =
      """
      SELECT pg_advisory_xact_lock(
        hashtextextended('monitoring.ai_learning_memory/' || {0}::text, 0))
      """;

  private static final String INSERT =
      """
      INSERT INTO monitoring.ai_learning_memory (tenant_id, id, error_type, user_intent,
        failed_query, specific_issue, suggested_fix, confidence, learning_context, corrected_query,
        user_feedback, user_correction, message_id, validation_type, retry_count, pattern_hash,
        resolution_time_ms, validation_passed, feedback_at)
      VALUES ({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}::jsonb, NULLIF({9}, ''), {10},
        NULLIF({11}, ''), NULLIF({12}, ''), COALESCE(NULLIF({13}, ''), 'syntax'), {14},
        NULLIF({15}, ''), {16}, {17}, CASE WHEN {10}::text IS NOT NULL THEN now() END)
      ON CONFLICT DO NOTHING RETURNING
      """
          + COLUMNS;

  /** Of what is too much, the least confident go, of equally confident ones the oldest. */
  private static final String TRIM =
      """
      DELETE FROM monitoring.ai_learning_memory m USING (
        SELECT id FROM monitoring.ai_learning_memory WHERE tenant_id = {0} AND id <> {1}
         ORDER BY confidence, created_at, id
         LIMIT GREATEST(0, (SELECT count(*) FROM monitoring.ai_learning_memory
           WHERE tenant_id = {0}) - {2})) AS least
       WHERE m.tenant_id = {0} AND m.id = least.id RETURNING m.id, m.revision
      """;

  private static final String FIND =
      "SELECT "
          + COLUMNS
          + " FROM monitoring.ai_learning_memory WHERE tenant_id = {0} AND id = {1}";

  private static final String FIND_ALL =
      "SELECT "
          + COLUMNS
          + " FROM monitoring.ai_learning_memory WHERE tenant_id = {0} AND id = ANY ({1})";

  private static final String LIST =
      """
      SELECT COLUMNS FROM monitoring.ai_learning_memory
       WHERE tenant_id = {0} AND active AND ({1} = '' OR error_type = {1})
         AND ({2} = '' OR message_id = {2}) AND ({3} = '' OR pattern_hash = {3})
         AND confidence >= {4}
         AND ({5}::timestamptz IS NULL OR (created_at, id) < ({5}::timestamptz, {6}::uuid))
       ORDER BY created_at DESC, id DESC LIMIT {7}
      """
          .replace("COLUMNS", COLUMNS);

  /**
   * The words that are looked for, any of them. The tenant's entries that are sure enough come from
   * an index, and their words are compared one by one: `@@` is not leakproof, and so can't be asked
   * of an index under row-level security.
   */
  static final String SIMILAR =
      """
      WITH asked AS MATERIALIZED (
        SELECT string_agg(
            '''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || '''', ' | ')::tsquery AS words
          FROM unnest(to_tsvector('pg_catalog.english', {1})) AS t (lexeme)
      )
      SELECT COLUMNS, ts_rank(words, (SELECT a.words FROM asked a)) AS rank
        FROM monitoring.ai_learning_memory
       WHERE tenant_id = {0} AND active AND confidence >= {3} AND ({2} = '' OR error_type = {2})
         AND words @@ (SELECT a.words FROM asked a)
       ORDER BY rank DESC, confidence DESC, created_at DESC, id LIMIT {4}
      """
          .replace("COLUMNS", COLUMNS);

  private static final String FEEDBACK =
      """
      UPDATE monitoring.ai_learning_memory
         SET user_feedback = {2}, confidence = {3}, feedback_at = now(), updated_at = now(),
           user_correction = COALESCE(NULLIF({4}, ''), user_correction), revision = revision + 1
       WHERE tenant_id = {0} AND id = {1} RETURNING
      """
          + COLUMNS;

  /** An entry, and its revision. */
  record Kept(LearningEntry entry, long revision) {}

  /** An entry that is gone. */
  record Gone(UUID id, long revision) {}

  /** The entries that are there, for watches. */
  static InitialState initialState() {
    return new PresentRowsStore(
        KIND,
        AI_LEARNING_MEMORY,
        new PresentRowsStore.Columns(
            AI_LEARNING_MEMORY.TENANT_ID,
            AI_LEARNING_MEMORY.ID,
            null,
            AI_LEARNING_MEMORY.REVISION,
            AI_LEARNING_MEMORY.CREATED_AT));
  }

  /**
   * Records an entry; empty if one with its id is there.
   *
   * @param context as JSON
   */
  Optional<Kept> insert(
      DSLContext tx, UUID tenant, UUID id, LearningEntry entry, @Nullable String context) {
    tx.fetchSingle(LOCK, DSL.val(tenant));
    String feedback =
        entry.getUserFeedback() == Feedback.FEEDBACK_UNSPECIFIED
            ? null
            : entry.getUserFeedback().name();
    return tx.fetchOptional(
            INSERT,
            DSL.val(tenant),
            DSL.val(id),
            DSL.val(entry.getErrorType()),
            DSL.val(entry.getUserIntent()),
            DSL.val(entry.getFailedQuery()),
            DSL.val(entry.getSpecificIssue()),
            DSL.val(entry.getSuggestedFix()),
            DSL.val(entry.getConfidence()),
            DSL.val(context, String.class),
            DSL.val(entry.getCorrectedQuery()),
            DSL.val(feedback, String.class),
            DSL.val(entry.getUserCorrection()),
            DSL.val(entry.getMessageId()),
            DSL.val(entry.getValidationType()),
            DSL.val(entry.getRetryCount()),
            DSL.val(entry.getPatternHash()),
            DSL.val(entry.hasResolutionTimeMs() ? entry.getResolutionTimeMs() : null, Long.class),
            DSL.val(
                entry.hasValidationPassed() ? entry.getValidationPassed() : null, Boolean.class))
        .map(MemoryStore::kept);
  }

  /** Lets the least valuable entries go, but for one, until no more than these are left. */
  List<Gone> trim(DSLContext tx, UUID tenant, UUID but, int most) {
    return tx.fetch(TRIM, DSL.val(tenant), DSL.val(but), DSL.val(most))
        .map(row -> new Gone(row.get(0, UUID.class), row.get(1, Long.class)));
  }

  Optional<LearningEntry> find(DSLContext dsl, UUID tenant, UUID id) {
    return dsl.fetchOptional(FIND, DSL.val(tenant), DSL.val(id)).map(row -> kept(row).entry());
  }

  /** Those that are there, by their ids. */
  Map<UUID, LearningEntry> findAll(DSLContext dsl, UUID tenant, Collection<UUID> ids) {
    Map<UUID, LearningEntry> entries = new HashMap<>();
    dsl.fetch(FIND_ALL, DSL.val(tenant), DSL.val(ids.toArray(UUID[]::new)))
        .forEach(row -> entries.put(row.get("id", UUID.class), kept(row).entry()));
    return entries;
  }

  /** The same, locked until the transaction ends. */
  Optional<LearningEntry> lock(DSLContext tx, UUID tenant, UUID id) {
    return tx.fetchOptional(FIND + " FOR UPDATE", DSL.val(tenant), DSL.val(id))
        .map(row -> kept(row).entry());
  }

  Kept giveFeedback(
      DSLContext tx,
      UUID tenant,
      UUID id,
      Feedback feedback,
      double confidence,
      String correction) {
    return kept(
        tx.fetchSingle(
            FEEDBACK,
            DSL.val(tenant),
            DSL.val(id),
            DSL.val(feedback.name()),
            DSL.val(confidence),
            DSL.val(correction)));
  }

  RowPage<LearningEntry> list(
      DSLContext tx,
      UUID tenant,
      ListLearningEntriesRequest request,
      @Nullable TimePlace after,
      int size) {
    var rows =
        tx.resultQuery(
            LIST,
            DSL.val(tenant),
            DSL.val(request.getErrorType()),
            DSL.val(request.getMessageId()),
            DSL.val(request.getPatternHash()),
            DSL.val(request.getMinConfidence()),
            DSL.val(after == null ? null : after.time(), Instant.class),
            DSL.val(after == null ? null : after.id(), UUID.class),
            DSL.val(size + 1));
    return RowPage.read(rows, size, row -> kept(row).entry());
  }

  List<SimilarLearningEntry> similar(
      DSLContext dsl, UUID tenant, String text, String type, double confidence, int limit) {
    return dsl.fetch(
            SIMILAR,
            DSL.val(tenant),
            DSL.val(text),
            DSL.val(type),
            DSL.val(confidence),
            DSL.val(limit))
        .map(row ->
            SimilarLearningEntry.newBuilder()
                .setEntry(kept(row).entry())
                .setRank(row.get("rank", Double.class))
                .build());
  }

  private static Kept kept(Record row) {
    LearningEntry.Builder told =
        LearningEntry.newBuilder()
            .setId(row.get("id", UUID.class).toString())
            .setErrorType(row.get("error_type", String.class))
            .setUserIntent(row.get("user_intent", String.class))
            .setFailedQuery(row.get("failed_query", String.class))
            .setSpecificIssue(row.get("specific_issue", String.class))
            .setSuggestedFix(row.get("suggested_fix", String.class))
            .setConfidence(row.get("confidence", Double.class))
            .setValidationType(row.get("validation_type", String.class))
            .setRetryCount(row.get("retry_count", Integer.class))
            .setActive(row.get("active", Boolean.class))
            .setCreatedAt(Times.proto(row.get("created_at", Instant.class)))
            .setUpdatedAt(Times.proto(row.get("updated_at", Instant.class)))
            .setEtag(Etags.of(row.get("revision", Long.class)));
    set(row.get("corrected_query", String.class), told::setCorrectedQuery);
    set(row.get("user_correction", String.class), told::setUserCorrection);
    set(row.get("message_id", String.class), told::setMessageId);
    set(row.get("pattern_hash", String.class), told::setPatternHash);
    set(row.get("resolution_time_ms", Long.class), told::setResolutionTimeMs);
    set(row.get("validation_passed", Boolean.class), told::setValidationPassed);
    set(row.get("feedback_at", Instant.class), it -> told.setFeedbackAt(Times.proto(it)));
    set(row.get("user_feedback", String.class), it -> told.setUserFeedback(Feedback.valueOf(it)));
    set(
        row.get("learning_context", String.class),
        it ->
            told.setLearningContext(
                Json.toStruct(Json.parseStored(it.getBytes(StandardCharsets.UTF_8)))));
    return new Kept(told.build(), row.get("revision", Long.class));
  }

  private static <T> void set(@Nullable T value, Consumer<T> set) {
    if (value != null) {
      set.accept(value);
    }
  }
}
