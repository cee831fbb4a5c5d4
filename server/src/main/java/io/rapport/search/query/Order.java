package io.rapport.search.query;

import com.google.protobuf.Message;
import io.rapport.platform.Caller;
import io.rapport.platform.PageTokens;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.search.v1.SearchGrouping;
import io.rapport.search.v1.SearchRequest;
import io.rapport.search.v1.SearchSource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How many hits are wanted, and which.
 *
 * @param limit how many
 * @param after where the page before ended
 * @param paged whether there may be a page after
 * @param lambda how much relevance counts against diversity; null: alone
 */
record Order(
    int limit,
    double maxDistance,
    @Nullable Place after,
    boolean paged,
    Lookup.@Nullable Grouping grouping,
    @Nullable Double lambda,
    Message arguments) {
  private static final int USUAL_LIMIT = 10;
  private static final int LARGE_LIMIT = 100;
  private static final int MIN_CANDIDATES = 50;
  private static final int CANDIDATES_PER_HIT = 5;
  private static final int MIN_LEG = 100;
  private static final double USUAL_LAMBDA = 0.5;

  /** Further away than any vector. */
  private static final double ANY = 3;

  static Order read(Caller caller, SearchRequest request, List<Source> sources) {
    int limit = request.getLimit() == 0 ? USUAL_LIMIT : request.getLimit();
    requireSmall(request, limit);
    boolean words = request.hasWords();
    if (words && request.hasMinScore()) {
      throw invalid("min_score", "is a cosine, and words have none");
    }
    if (request.hasDiversity() && (words || request.hasHybrid())) {
      throw invalid("diversity", "is for searches by meaning alone");
    }
    boolean paged =
        !request.hasHybrid()
            && !request.hasGrouping()
            && !request.hasDiversity()
            && request.getSourcesList().stream().allMatch(it -> it.getQuota() == 0);
    if (!paged && !request.getPageToken().isEmpty()) {
      throw invalid("page_token", "is not for hybrid searches, groupings, quotas and diversity");
    }
    SearchRequest arguments = arguments(request);
    return new Order(
        limit,
        request.hasMinScore() ? 1 - request.getMinScore() : ANY,
        PageTokens.decode(caller.tenant(), arguments, request.getPageToken())
            .map(Place::ofCursor)
            .orElse(null),
        paged,
        request.hasGrouping() ? grouping(request.getGrouping(), sources) : null,
        lambda(request),
        arguments);
  }

  private static @Nullable Double lambda(SearchRequest request) {
    if (!request.hasDiversity()) {
      return null;
    }
    return request.getDiversity().hasLambda() ? request.getDiversity().getLambda() : USUAL_LAMBDA;
  }

  private static void requireSmall(SearchRequest request, int limit) {
    boolean large =
        request.getIncludeText() || request.getIncludeEmbeddings() || request.hasDiversity();
    if (limit > LARGE_LIMIT && large) {
      throw invalid("limit", "must be at most 100 with texts, embeddings or diversity");
    }
  }

  /** Without what may differ from page to page. */
  private static SearchRequest arguments(SearchRequest request) {
    SearchRequest.Builder arguments =
        request.toBuilder()
            .clearPageToken()
            .clearLimit()
            .clearFacets()
            .clearIncludeEntities()
            .clearIncludeEmbeddings()
            .clearIncludeText()
            .clearExplain();
    for (SearchSource.Builder source : arguments.getSourcesBuilderList()) {
      source.clearReadMask();
    }
    return arguments.build();
  }

  private static Lookup.Grouping grouping(SearchGrouping asked, List<Source> sources) {
    for (Source source : sources) {
      if (Facets.column(source.kind(), asked.getField()).isEmpty()) {
        throw invalid(
            "grouping.field",
            "must be a field that " + source.kind().name() + " can be filtered by");
      }
    }
    return new Lookup.Grouping(asked.getField(), Math.max(1, asked.getSize()));
  }

  /** Refuses to go on behind a page whose vectors were others. */
  void requireOf(Query query) {
    if (after != null && !after.query().equals(query.mark())) {
      throw ServiceException.invalid(
          "page_token",
          ErrorReason.PAGE_TOKEN_MISMATCH,
          "belongs to a search by another model, or by another vector of the text");
    }
  }

  /** How many candidates of a kind are wanted. */
  int candidates(Source source, boolean hybrid) {
    if (hybrid) {
      return Math.max(MIN_LEG, limit);
    }
    if (lambda != null) {
      return diverse();
    }
    int own = source.quota() == 0 ? limit : Math.min(limit, source.quota());
    return paged ? own + 1 : own;
  }

  /** Among how many of the best hits those are chosen that differ. */
  int diverse() {
    return Math.max(CANDIDATES_PER_HIT * limit, MIN_CANDIDATES);
  }

  /** How many hits of a kind are wanted. */
  int hits(Source source) {
    return source.quota() == 0 ? limit : Math.min(limit, source.quota());
  }

  private static ServiceException invalid(String path, String description) {
    return ServiceException.invalid(path, ErrorReason.INVALID_FIELD, description);
  }
}
