package io.rapport.delivery;

import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.rapport.delivery.v1.Integration;
import io.rapport.delivery.v1.IntegrationServiceGrpc;
import io.rapport.delivery.v1.Issue;
import io.rapport.delivery.v1.IssueChangelog;
import io.rapport.delivery.v1.Issuetype;
import io.rapport.delivery.v1.IssuetypeHierarchy;
import io.rapport.delivery.v1.IssuetypeHierarchyServiceGrpc;
import io.rapport.delivery.v1.IssuetypeMapping;
import io.rapport.delivery.v1.IssuetypeMappingServiceGrpc;
import io.rapport.delivery.v1.IssuetypeServiceGrpc;
import io.rapport.delivery.v1.JiraPullRequestLink;
import io.rapport.delivery.v1.JiraPullRequestLinkServiceGrpc;
import io.rapport.delivery.v1.Project;
import io.rapport.delivery.v1.ProjectIssuetype;
import io.rapport.delivery.v1.ProjectIssuetypeServiceGrpc;
import io.rapport.delivery.v1.ProjectServiceGrpc;
import io.rapport.delivery.v1.ProjectStatus;
import io.rapport.delivery.v1.ProjectStatusServiceGrpc;
import io.rapport.delivery.v1.PullRequest;
import io.rapport.delivery.v1.PullRequestComment;
import io.rapport.delivery.v1.PullRequestCommentServiceGrpc;
import io.rapport.delivery.v1.PullRequestCommit;
import io.rapport.delivery.v1.PullRequestReview;
import io.rapport.delivery.v1.PullRequestServiceGrpc;
import io.rapport.delivery.v1.Repository;
import io.rapport.delivery.v1.RepositoryServiceGrpc;
import io.rapport.delivery.v1.Status;
import io.rapport.delivery.v1.StatusMapping;
import io.rapport.delivery.v1.Workflow;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.resource.Resources;
import io.rapport.platform.watch.InitialState;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jooq.DSLContext;

/** Builds what belongs to delivery. Most of it is only data. */
public final class DeliveryFeature implements AutoCloseable {
  private static final List<ServiceDescriptor> DATA =
      List.of(
          IntegrationServiceGrpc.getServiceDescriptor(),
          ProjectServiceGrpc.getServiceDescriptor(),
          IssuetypeServiceGrpc.getServiceDescriptor(),
          IssuetypeHierarchyServiceGrpc.getServiceDescriptor(),
          IssuetypeMappingServiceGrpc.getServiceDescriptor(),
          ProjectIssuetypeServiceGrpc.getServiceDescriptor(),
          ProjectStatusServiceGrpc.getServiceDescriptor(),
          RepositoryServiceGrpc.getServiceDescriptor(),
          PullRequestServiceGrpc.getServiceDescriptor(),
          PullRequestCommentServiceGrpc.getServiceDescriptor(),
          JiraPullRequestLinkServiceGrpc.getServiceDescriptor());

  private final Resources resources;
  private final BenchmarkService benchmarks;
  private final InsightService insights;
  private final DoraService dora;
  private final FlowWorker worker;

  /** The database as the server and as the system role see it, and what follows from changes. */
  public record Databases(TenantDb db, DSLContext system, ChangeLog changes) {}

  /**
   * @param systemWork writes as the system role
   */
  public DeliveryFeature(Databases databases, UnitOfWork work, UnitOfWork systemWork, Clock clock) {
    TenantDb db = databases.db();
    this.resources = new Resources(db, work);
    this.benchmarks = new BenchmarkService(systemWork, new BenchmarkStore(db));
    this.insights = new InsightService(systemWork, new InsightStore(db));
    this.dora = new DoraService(db, clock);
    this.worker = new FlowWorker(db, databases.system(), databases.changes());
  }

  /** Begins to work out anew what was left. */
  public void start() {
    worker.start();
  }

  @Override
  public void close() {
    worker.close();
  }

  public List<ServerServiceDefinition> services(Rpcs rpcs) {
    List<ServerServiceDefinition> services = new ArrayList<>();
    DATA.forEach(service -> services.add(resources.serve(rpcs, service)));
    services.addAll(new DerivedServices(resources).bind(rpcs));
    services.add(benchmarks.bind(rpcs));
    services.add(insights.bind(rpcs));
    services.add(dora.bind(rpcs));
    return services;
  }

  /** The entities that are there. */
  public static List<InitialState> initialStates() {
    return Stream.of(
            Integration.getDefaultInstance(),
            Project.getDefaultInstance(),
            Issue.getDefaultInstance(),
            IssueChangelog.getDefaultInstance(),
            Issuetype.getDefaultInstance(),
            IssuetypeHierarchy.getDefaultInstance(),
            IssuetypeMapping.getDefaultInstance(),
            Status.getDefaultInstance(),
            StatusMapping.getDefaultInstance(),
            Workflow.getDefaultInstance(),
            ProjectIssuetype.getDefaultInstance(),
            ProjectStatus.getDefaultInstance(),
            Repository.getDefaultInstance(),
            PullRequest.getDefaultInstance(),
            PullRequestComment.getDefaultInstance(),
            PullRequestReview.getDefaultInstance(),
            PullRequestCommit.getDefaultInstance(),
            JiraPullRequestLink.getDefaultInstance())
        .map(Resources::initialState)
        .toList();
  }
}
