package io.rapport.delivery;

import com.google.protobuf.Message;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.rapport.delivery.v1.Issue;
import io.rapport.delivery.v1.IssueChangelog;
import io.rapport.delivery.v1.IssueChangelogServiceGrpc;
import io.rapport.delivery.v1.IssueServiceGrpc;
import io.rapport.delivery.v1.PullRequestCommit;
import io.rapport.delivery.v1.PullRequestCommitServiceGrpc;
import io.rapport.delivery.v1.PullRequestReview;
import io.rapport.delivery.v1.PullRequestReviewServiceGrpc;
import io.rapport.delivery.v1.Status;
import io.rapport.delivery.v1.StatusMapping;
import io.rapport.delivery.v1.StatusMappingServiceGrpc;
import io.rapport.delivery.v1.StatusServiceGrpc;
import io.rapport.delivery.v1.Workflow;
import io.rapport.delivery.v1.WorkflowServiceGrpc;
import io.rapport.platform.Rpcs;
import io.rapport.platform.resource.Consequence;
import io.rapport.platform.resource.Resources;
import java.util.List;

/** The services of what figures are worked out from, in the transaction that writes it. */
final class DerivedServices {
  private final Resources resources;
  private final IssueFlow flow = new IssueFlow();
  private final ReviewFigures reviews = new ReviewFigures();

  DerivedServices(Resources resources) {
    this.resources = resources;
  }

  List<ServerServiceDefinition> bind(Rpcs rpcs) {
    return List.of(
        bind(
            rpcs,
            IssueServiceGrpc.getServiceDescriptor(),
            Issue.getDefaultInstance(),
            flow::issuesWritten),
        bind(
            rpcs,
            IssueChangelogServiceGrpc.getServiceDescriptor(),
            IssueChangelog.getDefaultInstance(),
            flow::changelogsWritten),
        bind(
            rpcs,
            StatusServiceGrpc.getServiceDescriptor(),
            Status.getDefaultInstance(),
            flow::statusesWritten),
        bind(
            rpcs,
            StatusMappingServiceGrpc.getServiceDescriptor(),
            StatusMapping.getDefaultInstance(),
            flow::mappingsWritten),
        bind(
            rpcs,
            WorkflowServiceGrpc.getServiceDescriptor(),
            Workflow.getDefaultInstance(),
            flow::workflowsWritten),
        bind(
            rpcs,
            PullRequestReviewServiceGrpc.getServiceDescriptor(),
            PullRequestReview.getDefaultInstance(),
            reviews::reviewsWritten),
        bind(
            rpcs,
            PullRequestCommitServiceGrpc.getServiceDescriptor(),
            PullRequestCommit.getDefaultInstance(),
            reviews::commitsWritten));
  }

  private <T extends Message> ServerServiceDefinition bind(
      Rpcs rpcs, ServiceDescriptor service, T prototype, Consequence<T> consequence) {
    return resources.of(prototype).followedBy(consequence).serve(rpcs.service(service));
  }
}
