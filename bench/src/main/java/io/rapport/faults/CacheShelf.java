package io.rapport.faults;

import com.google.protobuf.Struct;
import io.rapport.caching.v1.Analysis;
import io.rapport.caching.v1.AnalysisCacheServiceGrpc;
import io.rapport.caching.v1.AnalysisPut;
import io.rapport.caching.v1.AnalysisValue;
import io.rapport.caching.v1.BatchGetAnalysesRequest;
import io.rapport.caching.v1.BatchGetPredictionsRequest;
import io.rapport.caching.v1.BatchPutAnalysesRequest;
import io.rapport.caching.v1.BatchPutPredictionsRequest;
import io.rapport.caching.v1.CacheKey;
import io.rapport.caching.v1.PredictionCacheServiceGrpc;
import io.rapport.caching.v1.PredictionPut;
import io.rapport.caching.v1.ReadOptions;
import java.util.ArrayList;
import java.util.List;

/** Numbers in one of the caches, many at a time. */
enum CacheShelf {
  PREDICTIONS {
    @Override
    Calls.End<?> putBatch(Calls calls, List<Numbered> values) {
      BatchPutPredictionsRequest.Builder request = BatchPutPredictionsRequest.newBuilder();
      for (Numbered value : values) {
        request.addPuts(
            PredictionPut.newBuilder()
                .setPrediction(
                    Predictions.Entry.of(value.key().getPrediction()).prediction(value.number())));
      }
      return calls.call(PredictionCacheServiceGrpc.getBatchPutPredictionsMethod(), request.build());
    }

    @Override
    List<Long> getBatch(Calls calls, List<CacheKey> keys, ReadOptions options) {
      BatchGetPredictionsRequest.Builder request =
          BatchGetPredictionsRequest.newBuilder().setOptions(options);
      keys.forEach(key -> request.addKeys(key.getPrediction()));
      return answer(
              calls.call(
                  PredictionCacheServiceGrpc.getBatchGetPredictionsMethod(), request.build()))
          .getResultsList()
          .stream()
          .map(it -> it.getHit() ? Predictions.number(it.getPrediction()) : MISS)
          .toList();
    }
  },

  ANALYSES {
    @Override
    Calls.End<?> putBatch(Calls calls, List<Numbered> values) {
      BatchPutAnalysesRequest.Builder request = BatchPutAnalysesRequest.newBuilder();
      for (Numbered value : values) {
        request.addPuts(AnalysisPut.newBuilder().setAnalysis(analysis(value)));
      }
      return calls.call(AnalysisCacheServiceGrpc.getBatchPutAnalysesMethod(), request.build());
    }

    @Override
    List<Long> getBatch(Calls calls, List<CacheKey> keys, ReadOptions options) {
      BatchGetAnalysesRequest.Builder request =
          BatchGetAnalysesRequest.newBuilder().setOptions(options);
      keys.forEach(key -> request.addKeys(key.getAnalysis()));
      return answer(
              calls.call(AnalysisCacheServiceGrpc.getBatchGetAnalysesMethod(), request.build()))
          .getResultsList()
          .stream()
          .map(it -> it.getHit() ? number(it.getAnalysis()) : MISS)
          .toList();
    }
  };

  /** Stands for no hit. */
  static final Long MISS = -1L;

  private static final int BATCH = 100;

  /** A value to keep under a key. */
  record Numbered(CacheKey key, long number) {}

  void put(Calls calls, List<Numbered> values) {
    for (int i = 0; i < values.size(); i += BATCH) {
      answer(putBatch(calls, values.subList(i, Math.min(values.size(), i + BATCH))));
    }
  }

  /** What is kept under each of the keys. */
  List<Long> get(Calls calls, List<CacheKey> keys, ReadOptions options) {
    List<Long> numbers = new ArrayList<>();
    for (int i = 0; i < keys.size(); i += BATCH) {
      List<CacheKey> batch = keys.subList(i, Math.min(keys.size(), i + BATCH));
      numbers.addAll(getBatch(calls, batch, options));
    }
    return numbers;
  }

  abstract Calls.End<?> putBatch(Calls calls, List<Numbered> values);

  abstract List<Long> getBatch(Calls calls, List<CacheKey> keys, ReadOptions options);

  private static <A> A answer(Calls.End<A> end) {
    A answer = end.answer();
    if (answer == null) {
      throw new IllegalStateException("a call failed: " + end);
    }
    return answer;
  }

  private static Analysis analysis(Numbered value) {
    return Analysis.newBuilder()
        .setKey(value.key().getAnalysis())
        .setValue(
            AnalysisValue.newBuilder()
                .setCachedResult(Struct.getDefaultInstance())
                .setAnalysisId(String.valueOf(value.number())))
        .build();
  }

  private static Long number(Analysis analysis) {
    return Long.valueOf(analysis.getValue().getAnalysisId());
  }
}
