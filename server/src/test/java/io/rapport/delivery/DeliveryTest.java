package io.rapport.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.rapport.client.AlreadyExistsException;
import io.rapport.client.DeliveryClient;
import io.rapport.client.FailedPreconditionException;
import io.rapport.client.InvalidArgumentException;
import io.rapport.client.NotFoundException;
import io.rapport.client.RapportException;
import io.rapport.delivery.v1.Integration;
import io.rapport.delivery.v1.Issue;
import io.rapport.delivery.v1.IssueFilter;
import io.rapport.delivery.v1.IssueKey;
import io.rapport.delivery.v1.IssuetypeHierarchy;
import io.rapport.delivery.v1.IssuetypeMapping;
import io.rapport.delivery.v1.ListIssuesRequest;
import io.rapport.delivery.v1.ListWorkflowsRequest;
import io.rapport.delivery.v1.PullRequest;
import io.rapport.delivery.v1.PullRequestComment;
import io.rapport.delivery.v1.PullRequestKey;
import io.rapport.delivery.v1.Repository;
import io.rapport.delivery.v1.StatusMapping;
import io.rapport.delivery.v1.Workflow;
import io.rapport.delivery.v1.Workflow.Category;
import io.rapport.delivery.v1.WorkflowKey;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.platform.v1.TextFilter;
import io.rapport.platform.v1.UpsertOutcome;
import io.rapport.platform.v1.UpsertOutcome.Result;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is particular about entities of delivery, through the SDK. */
class DeliveryTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static DeliveryClient delivery() {
    return rapport.client().delivery();
  }

  private static String integration(String name) {
    return delivery().integrations().upsert(Integration.newBuilder().setName(name).build()).getId();
  }

  private static Issue.Builder issue(String integration, String externalId) {
    return Issue.newBuilder().setIntegrationId(integration).setExternalId(externalId);
  }

  @Test
  void knowsIssuesOfTwoIntegrationsApart() {
    String one = integration("one");
    String other = integration("other");

    List<UpsertOutcome> made =
        delivery()
            .issues()
            .upsert(
                List.of(
                    issue(one, "7").setKey("A-7").build(),
                    issue(other, "7").setKey("B-7").build()));

    assertThat(made)
        .extracting(UpsertOutcome::getResult)
        .containsExactly(Result.CREATED, Result.CREATED);
    assertThat(delivery().issues().byKey(key(other, "7")).orElseThrow().getKey()).isEqualTo("B-7");
    assertThat(delivery().issues().byKey(key(other, "8"))).isEmpty();
  }

  private static IssueKey key(String integration, String externalId) {
    return IssueKey.newBuilder().setIntegrationId(integration).setExternalId(externalId).build();
  }

  @Test
  void writesOnlyWhatIsNotSoAlready() {
    String jira = integration("jira");
    Issue first = issue(jira, "1").setSummary("Greet people").setCommentCount(2).build();
    Issue second = issue(jira, "2").setSummary("Say goodbye").build();
    delivery().issues().upsert(List.of(first, second));

    List<UpsertOutcome> outcomes =
        delivery()
            .issues()
            .upsert(
                List.of(
                    first,
                    second.toBuilder().setSummary("Say farewell").build(),
                    issue(jira, "3").build()));

    assertThat(outcomes)
        .extracting(UpsertOutcome::getResult)
        .containsExactly(Result.UNCHANGED, Result.UPDATED, Result.CREATED);
  }

  @Test
  void wantsTheNaturalKeyForAnUpsertAndNotForACreate() {
    String jira = integration("jira");
    Issue unnamed = Issue.newBuilder().setIntegrationId(jira).setSummary("by hand").build();

    assertThat(delivery().issues().create(unnamed).getExternalId()).isEmpty();
    assertThat(delivery().issues().create(unnamed).getExternalId()).isEmpty();
    assertThat(fields(() -> delivery().issues().upsert(unnamed)))
        .containsExactly("issue.external_id");
  }

  private static List<String> fields(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    return catchThrowableOfType(InvalidArgumentException.class, call).fieldViolations().stream()
        .map(it -> it.field())
        .toList();
  }

  @Test
  void neverTakesASecret() {
    Integration jira = Integration.newBuilder().setName("jira").build();
    for (String secret : List.of("hunter2", "user:pass", "https://me:token@example.org/", "a b")) {
      assertThat(
              fields(() ->
                  delivery()
                      .integrations()
                      .create(jira.toBuilder().setSecretReference(secret).build())))
          .containsExactly("integration.secret_reference");
    }
    assertThat(
            fields(() ->
                delivery()
                    .integrations()
                    .create(jira.toBuilder().setUrl("https://me:token@example.org/x").build())))
        .containsExactly("integration.url");
    for (String reference :
        List.of("vault://teams/jira#token", "arn:aws:secretsmanager:eu-west-1:1:secret:jira")) {
      assertThat(
              delivery()
                  .integrations()
                  .upsert(jira.toBuilder().setSecretReference(reference).build())
                  .getSecretReference())
          .isEqualTo(reference);
    }
  }

  private static Workflow step(String name, Category category) {
    return Workflow.newBuilder().setStepName(name).setStepCategory(category).build();
  }

  @Test
  void keepsOneStepWithoutIntegrationBesideThoseOfIntegrations() {
    String jira = integration("jira");
    Workflow everybodys = step("Done", Category.DONE);
    Workflow jiras = everybodys.toBuilder().setIntegrationId(jira).build();

    Workflow made = delivery().workflows().upsert(everybodys);
    delivery().workflows().upsert(jiras);
    List<UpsertOutcome> again = delivery().workflows().upsert(List.of(everybodys, jiras));

    assertThat(again)
        .extracting(UpsertOutcome::getResult)
        .containsExactly(Result.UNCHANGED, Result.UNCHANGED);
    assertThat(delivery().workflows().list(ListWorkflowsRequest.getDefaultInstance())).hasSize(2);
    assertThat(delivery().workflows().byKey(WorkflowKey.newBuilder().setStepName("Done").build()))
        .contains(made);
    assertThatThrownBy(() -> delivery().workflows().create(everybodys))
        .isInstanceOf(AlreadyExistsException.class);
    assertThat(fields(() -> delivery().workflows().upsert(List.of(everybodys, jiras, everybodys))))
        .containsExactly("workflows[0]", "workflows[2]");
  }

  @Test
  void commitsAtOneStepOfAWorkflow() {
    String jira = integration("jira");
    Workflow ready = step("Ready", Category.TO_DO).toBuilder().setIsCommitmentPoint(true).build();
    Workflow later = ready.toBuilder().setStepName("Later").build();
    Workflow made = delivery().workflows().create(ready);
    delivery().workflows().create(later.toBuilder().setIntegrationId(jira).build());

    AlreadyExistsException refused =
        catchThrowableOfType(
            AlreadyExistsException.class, () -> delivery().workflows().create(later));

    assertThat(refused.metadata()).containsEntry("key", "integration_id");
    delivery().workflows().delete(made.getId());
    assertThat(delivery().workflows().create(later).getIsCommitmentPoint()).isTrue();
  }

  @Test
  void mapsNamesWithoutRegardToCase() {
    StatusMapping mapping =
        StatusMapping.newBuilder()
            .setStatusFrom("In Review")
            .setStatusTo("In Progress")
            .setStatusCategory(StatusMapping.Category.IN_PROGRESS)
            .build();
    StatusMapping made = delivery().statusMappings().upsert(mapping);

    StatusMapping same =
        delivery().statusMappings().upsert(mapping.toBuilder().setStatusFrom("in review").build());

    assertThat(same).isEqualTo(made);
    assertThat(delivery().statusMappings().byKey("IN REVIEW")).contains(made);
    delivery()
        .issuetypeHierarchies()
        .upsert(IssuetypeHierarchy.newBuilder().setLevelNumber(0).setLevelName("Story").build());
    String level = delivery().issuetypeHierarchies().byKey(0).orElseThrow().getId();
    IssuetypeMapping bug =
        IssuetypeMapping.newBuilder()
            .setIssuetypeFrom("BUG")
            .setIssuetypeTo("Bug")
            .setIssuetypeHierarchyId(level)
            .build();
    delivery().issuetypeMappings().create(bug);
    assertThat(delivery().issuetypeMappings().byKey("bug")).isPresent();
  }

  @Test
  void numbersCommentsOfTheTwoTypesApart() {
    String github = integration("github");
    PullRequest pullRequest = pullRequest(github);
    PullRequestComment comment =
        PullRequestComment.newBuilder()
            .setIntegrationId(github)
            .setPullRequestId(pullRequest.getId())
            .setExternalId("1")
            .setCommentType(PullRequestComment.Type.ISSUE)
            .build();

    List<UpsertOutcome> made =
        delivery()
            .pullRequestComments()
            .upsert(
                List.of(
                    comment,
                    comment.toBuilder().setCommentType(PullRequestComment.Type.REVIEW).build()));

    assertThat(made)
        .extracting(UpsertOutcome::getResult)
        .containsExactly(Result.CREATED, Result.CREATED);
    assertThat(
            delivery()
                .pullRequests()
                .byKey(
                    PullRequestKey.newBuilder()
                        .setRepositoryId(pullRequest.getRepositoryId())
                        .setNumber(5)
                        .build()))
        .contains(pullRequest);
  }

  private static PullRequest pullRequest(String integration) {
    Repository repository =
        delivery()
            .repositories()
            .upsert(
                Repository.newBuilder().setIntegrationId(integration).setExternalId("r1").build());
    return delivery()
        .pullRequests()
        .upsert(
            PullRequest.newBuilder()
                .setIntegrationId(integration)
                .setRepositoryId(repository.getId())
                .setNumber(5)
                .setStatus(PullRequest.Status.OPEN)
                .build());
  }

  @Test
  void namesTheOneOfManyWhoseParentIsNotThere() {
    String jira = integration("jira");

    NotFoundException refused =
        catchThrowableOfType(
            NotFoundException.class,
            () ->
                delivery()
                    .issues()
                    .upsert(
                        List.of(
                            issue(jira, "1").build(),
                            issue(jira, "2").setProjectId(Given.id()).build(),
                            issue(jira, "3").build())));

    assertThat(refused.metadata()).containsEntry("field", "issues[1].project_id");
    assertThat(delivery().issues().list(ListIssuesRequest.getDefaultInstance())).isEmpty();
  }

  @Test
  void removesForGoodWhatNothingRefersTo() {
    String github = integration("github");
    PullRequest pullRequest = pullRequest(github);

    assertThatThrownBy(() -> delivery().repositories().deleteForGood(pullRequest.getRepositoryId()))
        .isInstanceOf(FailedPreconditionException.class)
        .extracting(it -> ((RapportException) it).reason())
        .isEqualTo(ErrorReason.RESOURCE_IN_USE);
    delivery().pullRequests().deleteForGood(pullRequest.getId());
    delivery().repositories().deleteForGood(pullRequest.getRepositoryId());

    assertThat(delivery().repositories().get(pullRequest.getRepositoryId())).isEmpty();
  }

  @Test
  void passesOverWhatTheServiceWorksOut() {
    String jira = integration("jira");

    Issue made =
        delivery()
            .issues()
            .create(
                issue(jira, "1")
                    .setTotalWorkStarts(7)
                    .setDirectCompletion(true)
                    .setWorkFirstStartedAt(Given.time("2026-01-01T00:00:00Z"))
                    .build());

    assertThat(made.getTotalWorkStarts()).isZero();
    assertThat(made.getDirectCompletion()).isFalse();
    assertThat(made.hasWorkFirstStartedAt()).isFalse();
  }

  @Test
  void listsPageByPageAndByManyFilters() {
    String jira = integration("jira");
    delivery()
        .issues()
        .upsert(
            List.of(
                issue(jira, "1").setKey("WEB-1").setAssignee("ada").build(),
                issue(jira, "2").setKey("WEB-2").setAssignee("bob").build(),
                issue(jira, "3").setKey("APP-1").setAssignee("ada").build()));
    ListIssuesRequest.Builder request = ListIssuesRequest.newBuilder().setPageSize(1);

    assertThat(delivery().issues().list(request.build())).hasSize(3);
    assertThat(
            delivery()
                .issues()
                .list(
                    request
                        .setFilter(
                            IssueFilter.newBuilder()
                                .setKey(TextFilter.newBuilder().setPrefix("WEB-"))
                                .setAssignee(TextFilter.newBuilder().addValues("ada")))
                        .build()))
        .extracting(Issue::getExternalId)
        .containsExactly("1");
  }
}
