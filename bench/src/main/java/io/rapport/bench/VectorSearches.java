package io.rapport.bench;

import com.google.common.primitives.Floats;
import io.grpc.Channel;
import io.grpc.stub.StreamObserver;
import io.rapport.identity.v1.SystemSetting;
import io.rapport.identity.v1.SystemSettingFilter;
import io.rapport.search.v1.EntityFilter;
import io.rapport.search.v1.SearchHit;
import io.rapport.search.v1.SearchRequest;
import io.rapport.search.v1.SearchResponse;
import io.rapport.search.v1.SearchServiceGrpc;
import io.rapport.search.v1.SearchServiceGrpc.SearchServiceStub;
import io.rapport.search.v1.SearchSource;
import io.rapport.search.v1.VectorQuery;
import io.rapport.vectors.SentenceVectors;
import io.rapport.vectors.StoredVectors;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Searches for the ten rows that are nearest to each question, among those of a type of settings.
 *
 * @param type the settings' type; empty: all
 */
record VectorSearches(SentenceVectors vectors, String type) {
  static final int NEIGHBOURS = 10;
  private static final int ASKED = 200;

  /** What is as near as the last neighbour is one, too, but for the rounding to halves. */
  private static final double NEAR = 1e-4;

  /** Finds the distances of a question's neighbours. */
  interface Finder {
    List<Double> find(int question) throws Exception;
  }

  /** How many of the neighbours that there are were found, and how many answers were too short. */
  record Quality(double recall, int shortAnswers) {}

  Quality quality(Finder finder) throws Exception {
    return quality(vectors, finder, _ -> this::passes);
  }

  /**
   * @param rows those among which a question's neighbours are
   */
  static Quality quality(SentenceVectors vectors, Finder finder, IntFunction<IntPredicate> rows)
      throws Exception {
    double found = 0;
    int shortAnswers = 0;
    for (int question = 0; question < ASKED; question++) {
      double[] nearest = vectors.nearest(question, NEIGHBOURS, rows.apply(question));
      List<Double> distances = finder.find(question);
      double farthest = nearest[nearest.length - 1] + NEAR;
      long near = distances.stream().filter(it -> it <= farthest).count();
      found += Math.min(near, nearest.length) / (double) nearest.length;
      shortAnswers += distances.size() < nearest.length ? 1 : 0;
    }
    return new Quality(found / ASKED, shortAnswers);
  }

  private boolean passes(int row) {
    return type.isEmpty() || type.equals(StoredVectors.type(row));
  }

  /** By the service, with the effort that it chooses. */
  Supplier<CallLoad.Call> calls(Channel channel) {
    return calls(channel, NEIGHBOURS);
  }

  /** The same of a tenant that may have so few rows that no answer has more hits. */
  Supplier<CallLoad.Call> calls(Channel channel, int hits) {
    SearchServiceStub stub = SearchServiceGrpc.newStub(channel);
    List<SearchRequest> requests =
        IntStream.range(0, SentenceVectors.QUESTIONS).mapToObj(this::request).toList();
    return () -> {
      SearchRequest request = requests.get(ThreadLocalRandom.current().nextInt(requests.size()));
      return end -> stub.search(request, ended(end, hits));
    };
  }

  Finder finder(Channel channel) {
    return question ->
        SearchServiceGrpc.newBlockingStub(channel)
            .withDeadlineAfter(20, TimeUnit.SECONDS)
            .search(request(question))
            .getHitsList()
            .stream()
            .map(SearchHit::getScore)
            .map(score -> 1 - score)
            .toList();
  }

  private SearchRequest request(int question) {
    SearchSource.Builder source = SearchSource.newBuilder().setKind(StoredVectors.KIND);
    if (!type.isEmpty()) {
      source.setFilter(
          EntityFilter.newBuilder()
              .setSystemSetting(
                  SystemSettingFilter.newBuilder()
                      .addSettingType(SystemSetting.Type.valueOf(type))));
    }
    return SearchRequest.newBuilder()
        .setVector(
            VectorQuery.newBuilder()
                .setModel(SentenceVectors.MODEL)
                .addAllValues(Floats.asList(vectors.question(question))))
        .addSources(source)
        .setLimit(NEIGHBOURS)
        .build();
  }

  private static StreamObserver<SearchResponse> ended(CallLoad.End end, int hits) {
    return new StreamObserver<>() {
      private final List<SearchResponse> answers = new ArrayList<>();

      @Override
      public void onNext(SearchResponse answer) {
        answers.add(answer);
      }

      @Override
      public void onError(Throwable failure) {
        end.failed(failure);
      }

      @Override
      public void onCompleted() {
        if (answers.getFirst().getHitsCount() == hits) {
          end.answered();
        } else {
          end.failed(new IllegalStateException("a short answer: " + answers));
        }
      }
    };
  }
}
