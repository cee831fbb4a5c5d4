package io.rapport.search.query;

import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Caller;
import io.rapport.platform.Rpcs;
import io.rapport.platform.Rules;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.search.Embedders;
import io.rapport.search.IndexSearches;
import io.rapport.search.v1.BatchSearchRequest;
import io.rapport.search.v1.BatchSearchResponse;
import io.rapport.search.v1.CountMatchesRequest;
import io.rapport.search.v1.CountMatchesResponse;
import io.rapport.search.v1.SearchRequest;
import io.rapport.search.v1.SearchResponse;
import io.rapport.search.v1.SearchServiceGrpc;
import java.util.List;
import java.util.Map;

/** The RPCs of searches. */
final class SearchService {
  private final TenantDb db;
  private final Sources sources;
  private final Queries queries;
  private final Searches searches;
  private final Facets facets = new Facets();
  private final FacetStore counts = new FacetStore();

  SearchService(TenantDb db, SearchKinds kinds, Embedders embedders, IndexSearches graphSearches) {
    this.db = db;
    this.sources = new Sources(kinds);
    this.queries = new Queries(db, sources, embedders);
    this.searches = new Searches(db, sources, queries, facets, new MeaningSearch(graphSearches));
  }

  ServerServiceDefinition bind(Rpcs rpcs, Rules rules) {
    return rpcs.service(SearchServiceGrpc.getServiceDescriptor())
        .unary(SearchServiceGrpc.getSearchMethod(), this::search)
        .unary(SearchServiceGrpc.getBatchSearchMethod(), request -> batchSearch(request, rules))
        .unary(SearchServiceGrpc.getCountMatchesMethod(), this::countMatches)
        .build();
  }

  private SearchResponse search(SearchRequest request) {
    return searches.search(Caller.current(), request);
  }

  private BatchSearchResponse batchSearch(BatchSearchRequest request, Rules rules) {
    BatchSearchResponse.Builder response = BatchSearchResponse.newBuilder();
    for (SearchRequest search : request.getSearchesList()) {
      response.addResults(result(search, rules));
    }
    return response.build();
  }

  private BatchSearchResponse.Result result(SearchRequest search, Rules rules) {
    try {
      rules.check(search);
      return BatchSearchResponse.Result.newBuilder().setResponse(search(search)).build();
    } catch (ServiceException e) {
      return BatchSearchResponse.Result.newBuilder().setError(e.toStatus()).build();
    }
  }

  private CountMatchesResponse countMatches(CountMatchesRequest request) {
    Caller caller = Caller.current();
    List<Source> places = sources.read(caller, request.getSourcesList()).sources();
    List<Facets.Facet> wanted = facets.read(request.getFacetsList(), places);
    String words =
        request.getWords().isEmpty() ? null : queries.checked(caller, request.getWords(), "words");
    Map<String, String> models = queries.activeModels(caller.tenant().id(), places);
    return db.autoCommit(
        caller.tenant().id(),
        connection -> {
          CountMatchesResponse.Builder response = CountMatchesResponse.newBuilder();
          for (Source source :
              places.stream().sorted((a, b) -> a.kind().compareTo(b.kind())).toList()) {
            var count = counts.count(connection, source, words, models.get(source.kind().name()));
            response.addKinds(count).setTotal(response.getTotal() + count.getCount());
          }
          return response.addAllFacets(facets.count(connection, wanted, words)).build();
        });
  }
}
