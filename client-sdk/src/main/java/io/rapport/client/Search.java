package io.rapport.client;

import com.google.protobuf.FieldMask;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.rapport.delivery.v1.IntegrationFilter;
import io.rapport.delivery.v1.IssueChangelogFilter;
import io.rapport.delivery.v1.IssueFilter;
import io.rapport.delivery.v1.IssuetypeFilter;
import io.rapport.delivery.v1.IssuetypeHierarchyFilter;
import io.rapport.delivery.v1.IssuetypeMappingFilter;
import io.rapport.delivery.v1.JiraPullRequestLinkFilter;
import io.rapport.delivery.v1.ProjectFilter;
import io.rapport.delivery.v1.ProjectIssuetypeFilter;
import io.rapport.delivery.v1.ProjectStatusFilter;
import io.rapport.delivery.v1.PullRequestCommentFilter;
import io.rapport.delivery.v1.PullRequestCommitFilter;
import io.rapport.delivery.v1.PullRequestFilter;
import io.rapport.delivery.v1.PullRequestReviewFilter;
import io.rapport.delivery.v1.RepositoryFilter;
import io.rapport.delivery.v1.StatusFilter;
import io.rapport.delivery.v1.StatusMappingFilter;
import io.rapport.delivery.v1.WorkflowFilter;
import io.rapport.identity.v1.SignInFilter;
import io.rapport.identity.v1.SystemSettingFilter;
import io.rapport.identity.v1.UserFilter;
import io.rapport.identity.v1.UserPermissionFilter;
import io.rapport.search.v1.EntityFilter;
import io.rapport.search.v1.RelatedFilter;
import io.rapport.search.v1.SearchDiversity;
import io.rapport.search.v1.SearchFacet;
import io.rapport.search.v1.SearchGrouping;
import io.rapport.search.v1.SearchHit;
import io.rapport.search.v1.SearchRequest;
import io.rapport.search.v1.SearchResponse;
import io.rapport.search.v1.SearchSource;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * A search, still to be done. Each method gives a new one; nothing is sent before {@link #top} or
 * {@link #scroll}, and what is wrong is refused then.
 */
public final class Search {
  /** Each page costs a look at all that pass, so it should be a large one. */
  private static final int PAGE = 1000;

  /** Of hits that carry much. */
  private static final int LARGE_PAGE = 100;

  private final Function<SearchRequest, SearchResponse> service;
  private final SearchRequest request;

  Search(Function<SearchRequest, SearchResponse> service, SearchRequest request) {
    this.service = service;
    this.request = request;
  }

  private Search with(Consumer<SearchRequest.Builder> change) {
    SearchRequest.Builder changed = request.toBuilder();
    change.accept(changed);
    return new Search(service, changed.build());
  }

  /** In these kinds, beside those that were named before. Without any: in all. */
  public Search in(SearchKind... kinds) {
    Search search = this;
    for (SearchKind kind : kinds) {
      search = search.with(kind, source -> source);
    }
    return search;
  }

  private Search with(SearchKind kind, UnaryOperator<SearchSource.Builder> change) {
    List<SearchSource> sources = request.getSourcesList();
    for (int i = 0; i < sources.size(); i++) {
      if (sources.get(i).getKind().equals(kind.code())) {
        int index = i;
        return with(it -> it.setSources(index, change.apply(sources.get(index).toBuilder())));
      }
    }
    return with(it -> it.addSources(change.apply(SearchSource.newBuilder().setKind(kind.code()))));
  }

  private Search where(SearchKind kind, EntityFilter.Builder filter) {
    return with(kind, source -> source.setFilter(filter));
  }

  /** In users that pass. */
  public Search where(UserFilter filter) {
    return where(SearchKind.USERS, EntityFilter.newBuilder().setUser(filter));
  }

  /** In permissions that pass. */
  public Search where(UserPermissionFilter filter) {
    return where(SearchKind.PERMISSIONS, EntityFilter.newBuilder().setUserPermission(filter));
  }

  /** In sign-ins that pass. */
  public Search where(SignInFilter filter) {
    return where(SearchKind.SIGN_INS, EntityFilter.newBuilder().setSignIn(filter));
  }

  /** In settings that pass. */
  public Search where(SystemSettingFilter filter) {
    return where(SearchKind.SETTINGS, EntityFilter.newBuilder().setSystemSetting(filter));
  }

  /** In integrations that pass. */
  public Search where(IntegrationFilter filter) {
    return where(SearchKind.INTEGRATIONS, EntityFilter.newBuilder().setIntegration(filter));
  }

  /** In projects of issue trackers that pass. */
  public Search where(ProjectFilter filter) {
    return where(SearchKind.PROJECTS, EntityFilter.newBuilder().setProject(filter));
  }

  /** In issues that pass. */
  public Search where(IssueFilter filter) {
    return where(SearchKind.ISSUES, EntityFilter.newBuilder().setIssue(filter));
  }

  /** In repositories that pass. */
  public Search where(RepositoryFilter filter) {
    return where(SearchKind.REPOSITORIES, EntityFilter.newBuilder().setRepository(filter));
  }

  /** In pull requests that pass. */
  public Search where(PullRequestFilter filter) {
    return where(SearchKind.PULL_REQUESTS, EntityFilter.newBuilder().setPullRequest(filter));
  }

  /** In comments on pull requests that pass. */
  public Search where(PullRequestCommentFilter filter) {
    return where(
        SearchKind.PULL_REQUEST_COMMENTS, EntityFilter.newBuilder().setPullRequestComment(filter));
  }

  /** In reviews of pull requests that pass. */
  public Search where(PullRequestReviewFilter filter) {
    return where(
        SearchKind.PULL_REQUEST_REVIEWS, EntityFilter.newBuilder().setPullRequestReview(filter));
  }

  /** In commits of pull requests that pass. */
  public Search where(PullRequestCommitFilter filter) {
    return where(
        SearchKind.PULL_REQUEST_COMMITS, EntityFilter.newBuilder().setPullRequestCommit(filter));
  }

  /** In statuses of issues that pass. */
  public Search where(StatusFilter filter) {
    return where(SearchKind.STATUSES, EntityFilter.newBuilder().setStatus(filter));
  }

  /** In mappings of statuses that pass. */
  public Search where(StatusMappingFilter filter) {
    return where(SearchKind.STATUS_MAPPINGS, EntityFilter.newBuilder().setStatusMapping(filter));
  }

  /** In types of issues that pass. */
  public Search where(IssuetypeFilter filter) {
    return where(SearchKind.ISSUETYPES, EntityFilter.newBuilder().setIssuetype(filter));
  }

  /** In mappings of issue types that pass. */
  public Search where(IssuetypeMappingFilter filter) {
    return where(
        SearchKind.ISSUETYPE_MAPPINGS, EntityFilter.newBuilder().setIssuetypeMapping(filter));
  }

  /** In levels of issue types that pass. */
  public Search where(IssuetypeHierarchyFilter filter) {
    return where(
        SearchKind.ISSUETYPE_HIERARCHIES, EntityFilter.newBuilder().setIssuetypeHierarchy(filter));
  }

  /** In steps of workflows that pass. */
  public Search where(WorkflowFilter filter) {
    return where(SearchKind.WORKFLOWS, EntityFilter.newBuilder().setWorkflow(filter));
  }

  /** In changes of issues' statuses that pass. */
  public Search where(IssueChangelogFilter filter) {
    return where(SearchKind.ISSUE_CHANGELOGS, EntityFilter.newBuilder().setIssueChangelog(filter));
  }

  /** In links between issues and pull requests that pass. */
  public Search where(JiraPullRequestLinkFilter filter) {
    return where(
        SearchKind.JIRA_PULL_REQUEST_LINKS,
        EntityFilter.newBuilder().setJiraPullRequestLink(filter));
  }

  /** In issue types of projects that pass. */
  public Search where(ProjectIssuetypeFilter filter) {
    return where(
        SearchKind.PROJECT_ISSUETYPES, EntityFilter.newBuilder().setProjectIssuetype(filter));
  }

  /** In statuses of projects that pass. */
  public Search where(ProjectStatusFilter filter) {
    return where(SearchKind.PROJECT_STATUSES, EntityFilter.newBuilder().setProjectStatus(filter));
  }

  /** In entities of a kind that have such an entity, or belong to one. */
  public Search related(SearchKind kind, RelatedFilter filter) {
    return with(kind, source -> source.addRelated(filter));
  }

  /** At most so many hits of a kind. */
  public Search quota(SearchKind kind, int hits) {
    return with(kind, source -> source.setQuota(hits));
  }

  /** Only hits with at least this cosine. */
  public Search minScore(double cosine) {
    return with(it -> it.setMinScore(cosine));
  }

  /** At most so many hits for each value of a field. */
  public Search perValue(String field, int hits) {
    return with(it -> it.setGrouping(SearchGrouping.newBuilder().setField(field).setSize(hits)));
  }

  /**
   * Prefers hits that differ from one another.
   *
   * @param lambda how much relevance counts against diversity, 0 to 1
   */
  public Search diverse(double lambda) {
    return with(it -> it.setDiversity(SearchDiversity.newBuilder().setLambda(lambda)));
  }

  /** Counts the values of a field among what passes the filters. */
  public Search facet(String field, int values) {
    return with(it -> it.addFacets(SearchFacet.newBuilder().setField(field).setLimit(values)));
  }

  /** Compares all that pass, however many they are. */
  public Search exact() {
    return with(it -> it.setExact(true));
  }

  /**
   * Has the graph keep so many candidates at a time: the more, the surer and the slower.
   *
   * @param candidates 1 to 1,000
   */
  public Search effort(int candidates) {
    return with(it -> it.setEffort(candidates));
  }

  /** Returns the entities; {@link #entity} takes them out of hits. */
  public Search withEntities() {
    return with(it -> it.setIncludeEntities(true));
  }

  /** Returns the entities of a kind with these fields only. */
  public Search withEntities(SearchKind kind, String... fields) {
    return withEntities()
        .with(
            kind,
            source -> source.setReadMask(FieldMask.newBuilder().addAllPaths(List.of(fields))));
  }

  /** Returns the texts that hits are found by; at most 100 hits then. */
  public Search withTexts() {
    return with(it -> it.setIncludeText(true));
  }

  /** Returns the vectors of hits; at most 100 hits then. */
  public Search withEmbeddings() {
    return with(it -> it.setIncludeEmbeddings(true));
  }

  /** Has the answer tell how the search was done. */
  public Search explained() {
    return with(it -> it.setExplain(true));
  }

  /** What would be sent. */
  public SearchRequest request() {
    return request;
  }

  /**
   * Does the search.
   *
   * @param hits how many at most, 1 to 1,000
   * @throws FailedPreconditionException with reason QUERY_NOT_EMBEDDED if there is no vector to
   *     search by
   * @throws PermissionDeniedException if the caller may not read one of the kinds
   */
  public SearchResponse top(int hits) {
    return service.apply(request.toBuilder().setLimit(hits).build());
  }

  /**
   * All hits, the best first, fetched page by page as the stream is read. All that pass are
   * compared, so that none is missed. Not for hybrid searches, quotas, values' shares and
   * diversity.
   */
  public Stream<SearchHit> scroll() {
    boolean large =
        request.getIncludeText() || request.getIncludeEmbeddings() || request.getIncludeEntities();
    int size = large ? LARGE_PAGE : PAGE;
    return Pages.stream(
        "",
        token -> {
          SearchResponse page =
              service.apply(
                  request.toBuilder().setExact(true).setLimit(size).setPageToken(token).build());
          return new Pages.Page<>(page.getHitsList(), page.getNextPageToken());
        });
  }

  /** The entity of a hit, if it was asked for and is of this type. */
  public static <T extends Message> Optional<T> entity(SearchHit hit, Class<T> type) {
    if (!hit.hasEntity() || !hit.getEntity().is(type)) {
      return Optional.empty();
    }
    try {
      return Optional.of(hit.getEntity().unpack(type));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("the service sent an entity that is none", e);
    }
  }
}
