package io.rapport.search.query;

import io.rapport.platform.Caller;
import io.rapport.platform.PageTokens;
import io.rapport.platform.TenantDb;
import io.rapport.search.v1.FacetCounts;
import io.rapport.search.v1.SearchRequest;
import io.rapport.search.v1.SearchResponse;
import io.rapport.search.v1.Shortfall.Cause;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** Does searches. */
final class Searches {
  private final TenantDb db;
  private final Sources sources;
  private final Queries queries;
  private final MeaningSearch byMeaning;
  private final WordsSearch byWords = new WordsSearch();
  private final Facets facets;
  private final NearestStore vectors = new NearestStore();
  private final Answers answers = new Answers();

  Searches(TenantDb db, Sources sources, Queries queries, Facets facets, MeaningSearch byMeaning) {
    this.db = db;
    this.sources = sources;
    this.queries = queries;
    this.facets = facets;
    this.byMeaning = byMeaning;
  }

  SearchResponse search(Caller caller, SearchRequest request) {
    Sources.Places places = sources.read(caller, request.getSourcesList());
    List<Source> all = places.sources();
    Order order = Order.read(caller, request, all);
    List<Facets.Facet> wanted = facets.read(request.getFacetsList(), all);
    Steps steps = new Steps();
    Query query =
        steps.timed(
            "", "query", "models, texts and examples", () -> queries.read(caller, request, all));
    order.requireOf(query);
    MeaningSearch.Manner manner = new MeaningSearch.Manner(request.getExact(), request.getEffort());
    return db.autoCommit(
        caller.tenant().id(),
        connection -> {
          Run run = new Run(connection, request, order, query, manner, steps);
          List<Leg> legs = new ArrayList<>();
          places.refused().forEach(it -> legs.add(Leg.leftOut(it, Cause.RIGHT_MISSING)));
          List<Ranked> ranked = run.rank(all, legs);
          List<FacetCounts> counts =
              facets.count(connection, wanted, query.meaning() ? null : query.words());
          return answer(run, caller, all, ranked, legs, counts);
        });
  }

  private SearchResponse answer(
      Run run,
      Caller caller,
      List<Source> all,
      List<Ranked> ranked,
      List<Leg> legs,
      List<FacetCounts> counts)
      throws SQLException {
    Order order = run.order;
    List<Ranked> hits = ranked.subList(0, Math.min(order.limit(), ranked.size()));
    SearchResponse.Builder response = SearchResponse.newBuilder().addAllFacets(counts);
    response.addAllHits(
        answers.hits(
            run.connection,
            run.request,
            all,
            hits,
            run.vectors(all, hits),
            order.grouping() != null));
    response.addAllKinds(answers.reports(legs, hits));
    if (order.paged() && ranked.size() > order.limit()) {
      byte[] cursor = Place.of(hits.getLast().candidate(), run.query.mark()).cursor();
      response.setNextPageToken(PageTokens.encode(caller.tenant(), order.arguments(), cursor));
    }
    if (run.request.getExplain()) {
      response.setExplanation(run.steps.told());
    }
    return response.build();
  }

  /** One search. */
  private final class Run {
    private final Connection connection;
    private final SearchRequest request;
    private final Order order;
    private final Query query;
    private final MeaningSearch.Manner manner;
    private final Steps steps;

    Run(
        Connection connection,
        SearchRequest request,
        Order order,
        Query query,
        MeaningSearch.Manner manner,
        Steps steps) {
      this.connection = connection;
      this.request = request;
      this.order = order;
      this.query = query;
      this.manner = manner;
      this.steps = steps;
    }

    /** The hits, and perhaps one more; adds what each kind gave. */
    List<Ranked> rank(List<Source> all, List<Leg> legs) throws SQLException {
      List<Candidate> meaning = query.meaning() ? byMeaning(all, legs) : List.of();
      String words = query.words();
      if (words == null) {
        return choose(all, meaning.stream().map(Ranked::byMeaning).toList());
      }
      List<Candidate> worded = byWords(all, words, legs);
      return choose(
          all,
          query.isHybrid()
              ? new Fusion(query.meaningWeight(), query.wordsWeight())
                  .fuse(first(meaning), first(worded))
              : worded.stream().map(Ranked::byWords).toList());
    }

    private List<Candidate> first(List<Candidate> leg) {
      return leg.subList(0, Math.min(leg.size(), Math.max(100, order.limit())));
    }

    private List<Candidate> byMeaning(List<Source> all, List<Leg> legs) throws SQLException {
      List<Candidate> found = new ArrayList<>();
      for (Source source : all) {
        NearestStore.Direction direction = query.directions().get(source.kind());
        Leg leg;
        if (direction == null) {
          leg =
              Leg.leftOut(
                  source.kind(), query.leftOut().getOrDefault(source.kind(), Cause.NO_MODEL));
        } else {
          leg = byMeaning.find(connection, lookup(source), direction, manner, steps);
        }
        legs.add(leg);
        found.addAll(leg.candidates());
      }
      found.sort(Candidate.ORDER);
      return found;
    }

    private List<Candidate> byWords(List<Source> all, String words, List<Leg> legs)
        throws SQLException {
      List<Candidate> found = new ArrayList<>();
      for (Source source : all) {
        Leg leg = byWords.find(connection, lookup(source), words, steps);
        legs.add(leg);
        found.addAll(leg.candidates());
      }
      found.sort(Candidate.ORDER);
      return found;
    }

    private Lookup lookup(Source source) {
      return new Lookup(
          source,
          order.candidates(source, query.isHybrid()),
          order.hits(source),
          order.maxDistance(),
          query.excluded().getOrDefault(source.kind(), Set.of()),
          order.after(),
          order.grouping(),
          request.getIncludeText());
    }

    private List<Ranked> choose(List<Source> all, List<Ranked> ranked) throws SQLException {
      Room room = new Room(all, order.grouping());
      Double lambda = order.lambda();
      if (lambda == null) {
        return room.fill(ranked);
      }
      List<Ranked> best = ranked.subList(0, Math.min(ranked.size(), order.diverse()));
      return steps.timed(
          "",
          "diversify",
          best.size() + " candidates",
          () ->
              new Diversity(lambda, query.directions(), stored(all, best))
                  .choose(best, room, order.limit()));
    }

    /** The vectors of hits, if they are asked for. */
    Map<Candidate.Key, Embedding> vectors(List<Source> all, List<Ranked> hits) throws SQLException {
      return request.getIncludeEmbeddings() ? stored(all, hits) : Map.of();
    }

    private Map<Candidate.Key, Embedding> stored(List<Source> all, List<Ranked> ranked)
        throws SQLException {
      Map<Candidate.Key, Embedding> stored = new HashMap<>();
      for (Source source : all) {
        Kind kind = source.kind();
        NearestStore.Direction direction = query.directions().get(kind);
        List<UUID> ids = Ranked.ids(ranked, kind);
        if (direction != null && !ids.isEmpty()) {
          vectors
              .vectors(connection, source, direction.model(), ids)
              .forEach((id, vector) -> stored.put(new Candidate.Key(kind, id), vector));
        }
      }
      return stored;
    }
  }
}
