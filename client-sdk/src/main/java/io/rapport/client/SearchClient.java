package io.rapport.client;

import io.rapport.search.v1.BatchSearchRequest;
import io.rapport.search.v1.BatchSearchResponse;
import io.rapport.search.v1.CountMatchesRequest;
import io.rapport.search.v1.CountMatchesResponse;
import io.rapport.search.v1.ExamplesQuery;
import io.rapport.search.v1.HybridQuery;
import io.rapport.search.v1.SearchRequest;
import io.rapport.search.v1.SearchResponse;
import io.rapport.search.v1.SearchServiceGrpc;
import io.rapport.search.v1.StoredQuery;
import io.rapport.search.v1.TextQuery;
import io.rapport.search.v1.VectorQuery;
import io.rapport.search.v1.WordsQuery;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds entities of all kinds, by meaning and by words. Every method that asks the service may
 * throw a {@link RapportException}.
 */
public final class SearchClient {
  private final Calls calls;
  private final Rpc<SearchRequest, SearchResponse> search;
  private final Rpc<BatchSearchRequest, BatchSearchResponse> batch;
  private final Rpc<CountMatchesRequest, CountMatchesResponse> count;

  SearchClient(Calls calls) {
    this.calls = calls;
    this.search = calls.rpc(SearchServiceGrpc.getSearchMethod());
    this.batch = calls.batch(SearchServiceGrpc.getBatchSearchMethod());
    this.count = calls.rpc(SearchServiceGrpc.getCountMatchesMethod());
  }

  /** A search for what means something like a text. */
  public Search text(String text) {
    return of(SearchRequest.newBuilder().setText(TextQuery.newBuilder().setText(text)));
  }

  /** A search for texts that have words; {@code "quotes"}, {@code or} and {@code -} are known. */
  public Search words(String words) {
    return of(SearchRequest.newBuilder().setWords(WordsQuery.newBuilder().setWords(words)));
  }

  /** A search for what means something like these words, or has them. */
  public Search textAndWords(String words) {
    return of(
        SearchRequest.newBuilder()
            .setHybrid(HybridQuery.newBuilder().setWords(WordsQuery.newBuilder().setWords(words))));
  }

  /** A search for what points into the direction of a model's vector. */
  public Search vector(String model, float[] vector) {
    VectorQuery.Builder query = VectorQuery.newBuilder().setModel(model);
    for (float value : vector) {
      query.addValues(value);
    }
    return of(SearchRequest.newBuilder().setVector(query));
  }

  /** A search for what is like an entity, without the entity. */
  public Search like(SearchKind kind, String id) {
    return of(
        SearchRequest.newBuilder()
            .setStored(StoredQuery.newBuilder().setKind(kind.code()).setId(id)));
  }

  /** A search for what is like some examples and unlike others. */
  public Search examples(ExamplesQuery examples) {
    return of(SearchRequest.newBuilder().setExamples(examples));
  }

  /** A search by a request of one's own. */
  public Search of(SearchRequest request) {
    return new Search(it -> calls.call(search, it), request);
  }

  private Search of(SearchRequest.Builder request) {
    return of(request.build());
  }

  /**
   * Does up to 20 searches in one call, for the 10 best hits of each unless its request says
   * otherwise; one that is refused leaves the others alone.
   *
   * @return what became of each, in their order
   */
  public List<BatchSearchResponse.Result> batch(Iterable<Search> searches) {
    List<SearchRequest> requests = new ArrayList<>();
    searches.forEach(it -> requests.add(it.request()));
    return calls
        .call(batch, BatchSearchRequest.newBuilder().addAllSearches(requests).build())
        .getResultsList();
  }

  /** Counts what passes filters, and the values of its fields; ranks nothing. */
  public CountMatchesResponse count(CountMatchesRequest request) {
    return calls.call(count, request);
  }
}
