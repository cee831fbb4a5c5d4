package io.rapport.client;

import io.rapport.delivery.v1.Integration;
import io.rapport.delivery.v1.IntegrationServiceGrpc;
import io.rapport.delivery.v1.Issue;
import io.rapport.delivery.v1.IssueChangelog;
import io.rapport.delivery.v1.IssueChangelogKey;
import io.rapport.delivery.v1.IssueChangelogServiceGrpc;
import io.rapport.delivery.v1.IssueKey;
import io.rapport.delivery.v1.IssueServiceGrpc;
import io.rapport.delivery.v1.Issuetype;
import io.rapport.delivery.v1.IssuetypeHierarchy;
import io.rapport.delivery.v1.IssuetypeHierarchyServiceGrpc;
import io.rapport.delivery.v1.IssuetypeKey;
import io.rapport.delivery.v1.IssuetypeMapping;
import io.rapport.delivery.v1.IssuetypeMappingServiceGrpc;
import io.rapport.delivery.v1.IssuetypeServiceGrpc;
import io.rapport.delivery.v1.JiraPullRequestLink;
import io.rapport.delivery.v1.JiraPullRequestLinkKey;
import io.rapport.delivery.v1.JiraPullRequestLinkServiceGrpc;
import io.rapport.delivery.v1.ListIntegrationsRequest;
import io.rapport.delivery.v1.ListIssueChangelogsRequest;
import io.rapport.delivery.v1.ListIssuesRequest;
import io.rapport.delivery.v1.ListIssuetypeHierarchiesRequest;
import io.rapport.delivery.v1.ListIssuetypeMappingsRequest;
import io.rapport.delivery.v1.ListIssuetypesRequest;
import io.rapport.delivery.v1.ListJiraPullRequestLinksRequest;
import io.rapport.delivery.v1.ListProjectIssuetypesRequest;
import io.rapport.delivery.v1.ListProjectStatusesRequest;
import io.rapport.delivery.v1.ListProjectsRequest;
import io.rapport.delivery.v1.ListPullRequestCommentsRequest;
import io.rapport.delivery.v1.ListPullRequestCommitsRequest;
import io.rapport.delivery.v1.ListPullRequestReviewsRequest;
import io.rapport.delivery.v1.ListPullRequestsRequest;
import io.rapport.delivery.v1.ListRepositoriesRequest;
import io.rapport.delivery.v1.ListStatusMappingsRequest;
import io.rapport.delivery.v1.ListStatusesRequest;
import io.rapport.delivery.v1.ListWorkflowsRequest;
import io.rapport.delivery.v1.Project;
import io.rapport.delivery.v1.ProjectIssuetype;
import io.rapport.delivery.v1.ProjectIssuetypeKey;
import io.rapport.delivery.v1.ProjectIssuetypeServiceGrpc;
import io.rapport.delivery.v1.ProjectKey;
import io.rapport.delivery.v1.ProjectServiceGrpc;
import io.rapport.delivery.v1.ProjectStatus;
import io.rapport.delivery.v1.ProjectStatusKey;
import io.rapport.delivery.v1.ProjectStatusServiceGrpc;
import io.rapport.delivery.v1.PullRequest;
import io.rapport.delivery.v1.PullRequestComment;
import io.rapport.delivery.v1.PullRequestCommentKey;
import io.rapport.delivery.v1.PullRequestCommentServiceGrpc;
import io.rapport.delivery.v1.PullRequestCommit;
import io.rapport.delivery.v1.PullRequestCommitKey;
import io.rapport.delivery.v1.PullRequestCommitServiceGrpc;
import io.rapport.delivery.v1.PullRequestKey;
import io.rapport.delivery.v1.PullRequestReview;
import io.rapport.delivery.v1.PullRequestReviewKey;
import io.rapport.delivery.v1.PullRequestReviewServiceGrpc;
import io.rapport.delivery.v1.PullRequestServiceGrpc;
import io.rapport.delivery.v1.Repository;
import io.rapport.delivery.v1.RepositoryKey;
import io.rapport.delivery.v1.RepositoryServiceGrpc;
import io.rapport.delivery.v1.Status;
import io.rapport.delivery.v1.StatusKey;
import io.rapport.delivery.v1.StatusMapping;
import io.rapport.delivery.v1.StatusMappingServiceGrpc;
import io.rapport.delivery.v1.StatusServiceGrpc;
import io.rapport.delivery.v1.Workflow;
import io.rapport.delivery.v1.WorkflowKey;
import io.rapport.delivery.v1.WorkflowServiceGrpc;

/** What teams deliver: issues, repositories and pull requests, and the steps of work. */
public final class DeliveryClient {
  private final ResourceClient<Integration, String, ListIntegrationsRequest> integrations;
  private final ResourceClient<Project, ProjectKey, ListProjectsRequest> projects;
  private final ResourceClient<Issue, IssueKey, ListIssuesRequest> issues;
  private final ResourceClient<IssueChangelog, IssueChangelogKey, ListIssueChangelogsRequest>
      issueChangelogs;
  private final ResourceClient<Issuetype, IssuetypeKey, ListIssuetypesRequest> issuetypes;
  private final ResourceClient<IssuetypeHierarchy, Integer, ListIssuetypeHierarchiesRequest>
      issuetypeHierarchies;
  private final ResourceClient<IssuetypeMapping, String, ListIssuetypeMappingsRequest>
      issuetypeMappings;
  private final ResourceClient<Status, StatusKey, ListStatusesRequest> statuses;
  private final ResourceClient<StatusMapping, String, ListStatusMappingsRequest> statusMappings;
  private final ResourceClient<Workflow, WorkflowKey, ListWorkflowsRequest> workflows;
  private final ResourceClient<ProjectIssuetype, ProjectIssuetypeKey, ListProjectIssuetypesRequest>
      projectIssuetypes;
  private final ResourceClient<ProjectStatus, ProjectStatusKey, ListProjectStatusesRequest>
      projectStatuses;
  private final ResourceClient<Repository, RepositoryKey, ListRepositoriesRequest> repositories;
  private final ResourceClient<PullRequest, PullRequestKey, ListPullRequestsRequest> pullRequests;
  private final ResourceClient<
          PullRequestComment, PullRequestCommentKey, ListPullRequestCommentsRequest>
      pullRequestComments;
  private final ResourceClient<
          PullRequestReview, PullRequestReviewKey, ListPullRequestReviewsRequest>
      pullRequestReviews;
  private final ResourceClient<
          PullRequestCommit, PullRequestCommitKey, ListPullRequestCommitsRequest>
      pullRequestCommits;
  private final ResourceClient<
          JiraPullRequestLink, JiraPullRequestLinkKey, ListJiraPullRequestLinksRequest>
      jiraPullRequestLinks;
  private final DoraClient dora;

  DeliveryClient(Calls calls) {
    this.integrations =
        new ResourceClient<>(
            calls, IntegrationServiceGrpc.getServiceDescriptor(), Integration.class);
    this.projects =
        new ResourceClient<>(calls, ProjectServiceGrpc.getServiceDescriptor(), Project.class);
    this.issues = new ResourceClient<>(calls, IssueServiceGrpc.getServiceDescriptor(), Issue.class);
    this.issueChangelogs =
        new ResourceClient<>(
            calls, IssueChangelogServiceGrpc.getServiceDescriptor(), IssueChangelog.class);
    this.issuetypes =
        new ResourceClient<>(calls, IssuetypeServiceGrpc.getServiceDescriptor(), Issuetype.class);
    this.issuetypeHierarchies =
        new ResourceClient<>(
            calls, IssuetypeHierarchyServiceGrpc.getServiceDescriptor(), IssuetypeHierarchy.class);
    this.issuetypeMappings =
        new ResourceClient<>(
            calls, IssuetypeMappingServiceGrpc.getServiceDescriptor(), IssuetypeMapping.class);
    this.statuses =
        new ResourceClient<>(calls, StatusServiceGrpc.getServiceDescriptor(), Status.class);
    this.statusMappings =
        new ResourceClient<>(
            calls, StatusMappingServiceGrpc.getServiceDescriptor(), StatusMapping.class);
    this.workflows =
        new ResourceClient<>(calls, WorkflowServiceGrpc.getServiceDescriptor(), Workflow.class);
    this.projectIssuetypes =
        new ResourceClient<>(
            calls, ProjectIssuetypeServiceGrpc.getServiceDescriptor(), ProjectIssuetype.class);
    this.projectStatuses =
        new ResourceClient<>(
            calls, ProjectStatusServiceGrpc.getServiceDescriptor(), ProjectStatus.class);
    this.repositories =
        new ResourceClient<>(calls, RepositoryServiceGrpc.getServiceDescriptor(), Repository.class);
    this.pullRequests =
        new ResourceClient<>(
            calls, PullRequestServiceGrpc.getServiceDescriptor(), PullRequest.class);
    this.pullRequestComments =
        new ResourceClient<>(
            calls, PullRequestCommentServiceGrpc.getServiceDescriptor(), PullRequestComment.class);
    this.pullRequestReviews =
        new ResourceClient<>(
            calls, PullRequestReviewServiceGrpc.getServiceDescriptor(), PullRequestReview.class);
    this.pullRequestCommits =
        new ResourceClient<>(
            calls, PullRequestCommitServiceGrpc.getServiceDescriptor(), PullRequestCommit.class);
    this.jiraPullRequestLinks =
        new ResourceClient<>(
            calls,
            JiraPullRequestLinkServiceGrpc.getServiceDescriptor(),
            JiraPullRequestLink.class);
    this.dora = new DoraClient(calls);
  }

  /** Where the data comes from. */
  public ResourceClient<Integration, String, ListIntegrationsRequest> integrations() {
    return integrations;
  }

  /** The projects of issue trackers. */
  public ResourceClient<Project, ProjectKey, ListProjectsRequest> projects() {
    return projects;
  }

  /** The issues; their figures of work are worked out by the service. */
  public ResourceClient<Issue, IssueKey, ListIssuesRequest> issues() {
    return issues;
  }

  /** The changes of issues' statuses. */
  public ResourceClient<IssueChangelog, IssueChangelogKey, ListIssueChangelogsRequest>
      issueChangelogs() {
    return issueChangelogs;
  }

  /** The types of issues, as their sources have them. */
  public ResourceClient<Issuetype, IssuetypeKey, ListIssuetypesRequest> issuetypes() {
    return issuetypes;
  }

  /** The levels of issue types. */
  public ResourceClient<IssuetypeHierarchy, Integer, ListIssuetypeHierarchiesRequest>
      issuetypeHierarchies() {
    return issuetypeHierarchies;
  }

  /** Which types the issue types of sources count as. */
  public ResourceClient<IssuetypeMapping, String, ListIssuetypeMappingsRequest>
      issuetypeMappings() {
    return issuetypeMappings;
  }

  /** The statuses of issues, as their sources have them. */
  public ResourceClient<Status, StatusKey, ListStatusesRequest> statuses() {
    return statuses;
  }

  /** Which steps the statuses of sources count as. */
  public ResourceClient<StatusMapping, String, ListStatusMappingsRequest> statusMappings() {
    return statusMappings;
  }

  /** The steps that work passes through. */
  public ResourceClient<Workflow, WorkflowKey, ListWorkflowsRequest> workflows() {
    return workflows;
  }

  /** Which types of issues projects have. */
  public ResourceClient<ProjectIssuetype, ProjectIssuetypeKey, ListProjectIssuetypesRequest>
      projectIssuetypes() {
    return projectIssuetypes;
  }

  /** Which statuses the issues of projects can have. */
  public ResourceClient<ProjectStatus, ProjectStatusKey, ListProjectStatusesRequest>
      projectStatuses() {
    return projectStatuses;
  }

  /** The repositories of code. */
  public ResourceClient<Repository, RepositoryKey, ListRepositoriesRequest> repositories() {
    return repositories;
  }

  /** The pull requests; their figures of review are worked out by the service. */
  public ResourceClient<PullRequest, PullRequestKey, ListPullRequestsRequest> pullRequests() {
    return pullRequests;
  }

  /** The comments on pull requests. */
  public ResourceClient<PullRequestComment, PullRequestCommentKey, ListPullRequestCommentsRequest>
      pullRequestComments() {
    return pullRequestComments;
  }

  /** The reviews of pull requests. */
  public ResourceClient<PullRequestReview, PullRequestReviewKey, ListPullRequestReviewsRequest>
      pullRequestReviews() {
    return pullRequestReviews;
  }

  /** The commits of pull requests. */
  public ResourceClient<PullRequestCommit, PullRequestCommitKey, ListPullRequestCommitsRequest>
      pullRequestCommits() {
    return pullRequestCommits;
  }

  /** Which pull requests issues name. */
  public ResourceClient<
          JiraPullRequestLink, JiraPullRequestLinkKey, ListJiraPullRequestLinksRequest>
      jiraPullRequestLinks() {
    return jiraPullRequestLinks;
  }

  /** What teams achieve all over the world, by DORA's yearly reports. */
  public DoraClient dora() {
    return dora;
  }
}
