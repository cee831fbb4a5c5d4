package io.rapport.server;

import io.rapport.server.TenantIsolationTest.Call;
import java.util.List;
import java.util.stream.Stream;

/** Calls of the caches' RPCs about what is a user's. */
final class CacheCalls {
  private static final String PACKAGE = "rapport.caching.v1.";
  private static final String PREDICTION = "user_id: '%U' type: GOAL name: 'n'";
  private static final String ANALYSIS = "user_id: '%U' type: 't' project_id: 'p'";
  private static final String VALUE = "value { opaque { data: 'x' media_type: 'text/plain' } }";
  private static final String KEY = "key { prediction { " + PREDICTION + " } }";
  private static final String LEASE = " lease_id: '01a203bb-0000-7000-8000-000000000001'";

  /** With a plus those that answer otherwise for a user who is there. */
  private static final List<String> LINES =
      List.of(
          "PredictionCacheService/GetPrediction key { " + PREDICTION + " }",
          "PredictionCacheService/BatchGetPredictions keys { " + PREDICTION + " }",
          "PredictionCacheService/ListPredictions user_id: '%U'",
          "+PredictionCacheService/GetOrLeasePrediction key { " + PREDICTION + " }",
          "+PredictionCacheService/PutPrediction prediction { key { "
              + PREDICTION
              + " } "
              + VALUE
              + " }",
          "+PredictionCacheService/BatchPutPredictions puts { prediction { key { "
              + PREDICTION
              + " } "
              + VALUE
              + " } }",
          "AnalysisCacheService/GetAnalysis key { " + ANALYSIS + " }",
          "AnalysisCacheService/BatchGetAnalyses keys { " + ANALYSIS + " }",
          "AnalysisCacheService/ListAnalyses user_id: '%U'",
          "AnalysisCacheService/FindSimilarAnalysis "
              + ANALYSIS
              + " question { "
              + "embedding: 1 ".repeat(1536)
              + "embedding_model: 'm' }",
          "+AnalysisCacheService/GetOrLeaseAnalysis key { " + ANALYSIS + " }",
          "+AnalysisCacheService/PutAnalysis analysis { key { " + ANALYSIS + " } " + VALUE + " }",
          "+AnalysisCacheService/BatchPutAnalyses puts { analysis { key { "
              + ANALYSIS
              + " } "
              + VALUE
              + " } }",
          "CacheService/ExplainEntry " + KEY,
          "CacheService/GetCacheStats ",
          "CacheService/TouchEntry " + KEY,
          "CacheService/InvalidateEntries user_id: '%U'",
          "+CacheService/WarmEntries keys { prediction { " + PREDICTION + " } }",
          "CacheService/ClaimWarmups limit: 1",
          "CacheService/RenewLease " + KEY + LEASE,
          "CacheService/ReleaseLease " + KEY + LEASE);

  private CacheCalls() {}

  static Stream<Call> all() {
    return LINES.stream().map(line -> TextCalls.call(PACKAGE, line));
  }
}
