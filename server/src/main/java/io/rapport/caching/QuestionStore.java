package io.rapport.caching;

import io.rapport.caching.v1.AnalysisKey;
import io.rapport.caching.v1.FindSimilarAnalysisRequest;
import io.rapport.caching.v1.Question;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;

/** The questions that analyses answer, in PostgreSQL. */
final class QuestionStore {
  /** How many are looked at whether they may be used: the nearest may be expired. */
  private static final int NEAREST = 20;

  /** An entry, and how near its question is. */
  record Similar(UUID entry, double similarity) {}

  void put(DSLContext tx, UUID tenant, EntryKey entry, Question question) {
    AnalysisKey key = entry.key().getAnalysis();
    tx.execute(
        """
        INSERT INTO caching.questions (tenant_id, entry_id, user_id, project_id, entry_type,
          model_version, embedding_model, embedding)
        VALUES ({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}::public.vector)
        ON CONFLICT (tenant_id, entry_id) DO UPDATE SET
          embedding_model = excluded.embedding_model, embedding = excluded.embedding
        """,
        DSL.val(tenant),
        DSL.val(entry.id()),
        DSL.val(entry.user()),
        DSL.val(key.getProjectId()),
        DSL.val(key.getType()),
        DSL.val(key.getModelVersion()),
        DSL.val(question.getEmbeddingModel()),
        DSL.val(vector(question)));
  }

  void remove(DSLContext tx, UUID tenant, EntryKey entry) {
    tx.execute(
        "DELETE FROM caching.questions WHERE tenant_id = {0} AND entry_id = {1}",
        DSL.val(tenant), DSL.val(entry.id()));
  }

  /** The nearest that may answer, the nearest first. All of the user's are compared. */
  List<Similar> nearest(
      DSLContext dsl, UUID tenant, FindSimilarAnalysisRequest request, double least) {
    return dsl.fetch(
            """
            SELECT entry_id, similarity FROM (
              SELECT entry_id, 1 - (embedding OPERATOR(public.<=>) {0}::public.vector) AS similarity
                FROM caching.questions
               WHERE tenant_id = {1} AND user_id = {2} AND entry_type = {3}
                 AND model_version = {4} AND project_id = {5} AND embedding_model = {6}) q
             WHERE similarity BETWEEN {7} AND 1.0001 ORDER BY similarity DESC, entry_id LIMIT {8}
            """,
            DSL.val(vector(request.getQuestion())),
            DSL.val(tenant),
            DSL.val(UUID.fromString(request.getUserId())),
            DSL.val(request.getType()),
            DSL.val(request.getModelVersion()),
            DSL.val(request.getProjectId()),
            DSL.val(request.getQuestion().getEmbeddingModel()),
            DSL.val(least),
            DSL.val(NEAREST))
        .map(row -> new Similar(row.get(0, UUID.class), row.get(1, Double.class)));
  }

  private static String vector(Question question) {
    return question.getEmbeddingList().toString();
  }
}
