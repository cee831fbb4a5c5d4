package io.rapport.search.query;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.rapport.delivery.v1.Integration;
import io.rapport.delivery.v1.Issue;
import io.rapport.delivery.v1.IssueChangelog;
import io.rapport.delivery.v1.Issuetype;
import io.rapport.delivery.v1.IssuetypeHierarchy;
import io.rapport.delivery.v1.IssuetypeMapping;
import io.rapport.delivery.v1.JiraPullRequestLink;
import io.rapport.delivery.v1.Project;
import io.rapport.delivery.v1.ProjectIssuetype;
import io.rapport.delivery.v1.ProjectStatus;
import io.rapport.delivery.v1.PullRequest;
import io.rapport.delivery.v1.PullRequestComment;
import io.rapport.delivery.v1.PullRequestCommit;
import io.rapport.delivery.v1.PullRequestReview;
import io.rapport.delivery.v1.Repository;
import io.rapport.delivery.v1.Status;
import io.rapport.delivery.v1.StatusMapping;
import io.rapport.delivery.v1.Workflow;
import io.rapport.identity.v1.SignIn;
import io.rapport.identity.v1.SystemSetting;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.UserPermission;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.resource.EntityTable;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.platform.v1.ResourceProto;
import io.rapport.search.v1.EntityFilter;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The kinds of entities that can be found. */
final class SearchKinds {
  private static final List<Message> ENTITIES =
      List.of(
          User.getDefaultInstance(),
          UserPermission.getDefaultInstance(),
          SignIn.getDefaultInstance(),
          SystemSetting.getDefaultInstance(),
          Integration.getDefaultInstance(),
          Project.getDefaultInstance(),
          Issue.getDefaultInstance(),
          Repository.getDefaultInstance(),
          PullRequest.getDefaultInstance(),
          PullRequestComment.getDefaultInstance(),
          PullRequestReview.getDefaultInstance(),
          PullRequestCommit.getDefaultInstance(),
          Status.getDefaultInstance(),
          StatusMapping.getDefaultInstance(),
          Issuetype.getDefaultInstance(),
          IssuetypeMapping.getDefaultInstance(),
          IssuetypeHierarchy.getDefaultInstance(),
          Workflow.getDefaultInstance(),
          IssueChangelog.getDefaultInstance(),
          JiraPullRequestLink.getDefaultInstance(),
          ProjectIssuetype.getDefaultInstance(),
          ProjectStatus.getDefaultInstance());

  private final Map<String, Kind> byName = new TreeMap<>();
  private final Map<FieldDescriptor, Kind> byFilter = new HashMap<>();

  SearchKinds(SearchFeature.Areas areas) {
    for (Kind kind : withoutFilters(areas)) {
      byName.put(kind.name(), kind);
    }
    for (Message entity : ENTITIES) {
      FieldDescriptor filter = filterOf(entity);
      Message prototype =
          filter == null ? null : (Message) EntityFilter.getDefaultInstance().getField(filter);
      EntityTable table = EntityTable.of(entity, prototype);
      Kind kind = Kind.of(entity instanceof User ? table.completedBy(areas.users()) : table);
      byName.put(kind.name(), kind);
      if (filter != null) {
        byFilter.put(filter, kind);
      }
    }
  }

  private static List<Kind> withoutFilters(SearchFeature.Areas areas) {
    Entities learning =
        (db, tenant, ids, mask) -> areas.learningEntries().read(TenantDb.dsl(db), tenant, ids);
    return List.of(
        new Kind("delivery.dora_market_benchmark", "delivery.read", null, null, null, true),
        new Kind("delivery.dora_metric_insight", "delivery.read", null, null, null, true),
        new Kind("identity.tenant", "operator", null, null, null, false),
        new Kind(
            "monitoring.learning_memory",
            "monitoring.read",
            "monitoring.ai_learning_memory",
            null,
            learning,
            false),
        new Kind("tracking.behavioral_event", "tracking.read", null, null, null, false));
  }

  private static @Nullable FieldDescriptor filterOf(Message entity) {
    String kind =
        entity.getDescriptorForType().getOptions().getExtension(ResourceProto.resource).getKind();
    return EntityFilter.getDescriptor().findFieldByName(kind.substring(kind.indexOf('.') + 1));
  }

  Collection<Kind> all() {
    return byName.values();
  }

  /**
   * The kind with this name.
   *
   * @param path where it stands in the request
   */
  Kind get(String name, String path) {
    Kind kind = byName.get(name);
    if (kind == null) {
      throw ServiceException.invalid(
          path, ErrorReason.INVALID_FIELD, "must be one of " + String.join(", ", byName.keySet()));
    }
    return kind;
  }

  /** Which of a filter's forms is set, whose kind that is, and what it wants. */
  record Filter(Kind kind, Message message, String path) {}

  Filter filter(EntityFilter filter, String path) {
    FieldDescriptor set =
        filter.getOneofFieldDescriptor(EntityFilter.getDescriptor().getOneofs().getFirst());
    Kind kind = set == null ? null : byFilter.get(set);
    if (set == null || kind == null) {
      throw ServiceException.invalid(path, ErrorReason.INVALID_FIELD, "must be set");
    }
    return new Filter(kind, (Message) filter.getField(set), path + "." + set.getName());
  }
}
