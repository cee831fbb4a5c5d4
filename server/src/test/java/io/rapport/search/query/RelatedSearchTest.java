package io.rapport.search.query;

import static io.rapport.search.query.GivenVectors.ids;
import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.client.DeliveryClient;
import io.rapport.client.Search;
import io.rapport.client.SearchKind;
import io.rapport.delivery.v1.Integration;
import io.rapport.delivery.v1.Issue;
import io.rapport.delivery.v1.IssueFilter;
import io.rapport.delivery.v1.PullRequest;
import io.rapport.delivery.v1.PullRequestComment;
import io.rapport.delivery.v1.PullRequestFilter;
import io.rapport.delivery.v1.Repository;
import io.rapport.delivery.v1.RepositoryFilter;
import io.rapport.platform.v1.TextFilter;
import io.rapport.search.v1.EntityFilter;
import io.rapport.search.v1.RelatedFilter;
import io.rapport.search.v1.SearchResponse;
import io.rapport.server.Rapport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Searches of what teams deliver by what it belongs to, through the SDK. */
class RelatedSearchTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private String issue = "";
  private String fix = "";
  private String comment = "";

  private static DeliveryClient delivery() {
    return rapport.client().delivery();
  }

  @BeforeEach
  void makeTwoOfEach() {
    String source =
        delivery()
            .integrations()
            .create(Integration.newBuilder().setName("source").build())
            .getId();
    issue = issue(source, "A-1");
    String other = issue(source, "B-1");
    String server = repository(source, "server");
    String app = repository(source, "app");
    fix = pullRequest(source, server, issue, 1);
    String unrelated = pullRequest(source, app, other, 2);
    comment = comment(source, fix);
    comment(source, unrelated);
  }

  private static String issue(String source, String key) {
    return delivery()
        .issues()
        .create(
            Issue.newBuilder()
                .setIntegrationId(source)
                .setExternalId(key)
                .setKey(key)
                .setSummary("The cache keeps stale answers")
                .build())
        .getId();
  }

  private static String repository(String source, String name) {
    return delivery()
        .repositories()
        .create(
            Repository.newBuilder()
                .setIntegrationId(source)
                .setExternalId(name)
                .setFullName("team/" + name)
                .build())
        .getId();
  }

  private static String pullRequest(String source, String repository, String issue, int number) {
    return delivery()
        .pullRequests()
        .create(
            PullRequest.newBuilder()
                .setIntegrationId(source)
                .setRepositoryId(repository)
                .setIssueId(issue)
                .setNumber(number)
                .setName("Invalidate the cache")
                .build())
        .getId();
  }

  private static String comment(String source, String pullRequest) {
    return delivery()
        .pullRequestComments()
        .create(
            PullRequestComment.newBuilder()
                .setIntegrationId(source)
                .setPullRequestId(pullRequest)
                .setExternalId(pullRequest)
                .setCommentType(PullRequestComment.Type.REVIEW)
                .setBody("Which cache?")
                .build())
        .getId();
  }

  private static RelatedFilter issueKey(String prefix) {
    return RelatedFilter.newBuilder()
        .setFilter(
            EntityFilter.newBuilder()
                .setIssue(
                    IssueFilter.newBuilder().setKey(TextFilter.newBuilder().setPrefix(prefix))))
        .build();
  }

  private static Search cache() {
    return rapport.client().search().words("cache");
  }

  @Test
  void findsPullRequestsByTheirIssues() {
    assertThat(ids(cache().in(SearchKind.PULL_REQUESTS).top(10))).hasSize(2);
    assertThat(ids(cache().related(SearchKind.PULL_REQUESTS, issueKey("A-")).top(10)))
        .containsExactly(fix);
    assertThat(ids(cache().related(SearchKind.PULL_REQUESTS, issueKey("C-")).top(10))).isEmpty();
  }

  @Test
  void findsCommentsByTheRepositoriesOfTheirPullRequests() {
    RelatedFilter ofServer =
        RelatedFilter.newBuilder()
            .setFilter(
                EntityFilter.newBuilder()
                    .setRepository(
                        RepositoryFilter.newBuilder()
                            .setExternalId(TextFilter.newBuilder().addValues("server"))))
            .build();
    RelatedFilter inServer =
        RelatedFilter.newBuilder()
            .setFilter(
                EntityFilter.newBuilder().setPullRequest(PullRequestFilter.getDefaultInstance()))
            .addRelated(ofServer)
            .build();

    assertThat(ids(cache().related(SearchKind.PULL_REQUEST_COMMENTS, inServer).top(10)))
        .containsExactly(comment);
  }

  @Test
  void findsIssuesByTheirPullRequests() {
    RelatedFilter first =
        RelatedFilter.newBuilder()
            .setFilter(
                EntityFilter.newBuilder().setPullRequest(PullRequestFilter.getDefaultInstance()))
            .addRelated(issueKey("A-"))
            .build();

    assertThat(ids(cache().related(SearchKind.ISSUES, first).top(10))).containsExactly(issue);
  }

  @Test
  void givesEntitiesOfTheirTypes() {
    SearchResponse found =
        cache()
            .in(SearchKind.PULL_REQUESTS)
            .where(IssueFilter.newBuilder().setKey(TextFilter.newBuilder().setPrefix("A-")).build())
            .withEntities()
            .top(10);

    assertThat(found.getHitsList())
        .flatExtracting(hit -> Search.entity(hit, Issue.class).stream().toList())
        .extracting(Issue::getId)
        .containsExactly(issue);
    assertThat(found.getHitsList())
        .flatExtracting(hit -> Search.entity(hit, PullRequest.class).stream().toList())
        .hasSize(2);
  }

  @Test
  void scrollsThroughAllKinds() {
    assertThat(cache().scroll()).hasSize(6).doesNotHaveDuplicates();
  }
}
