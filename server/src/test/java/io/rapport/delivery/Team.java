package io.rapport.delivery;

import com.google.protobuf.Timestamp;
import io.rapport.client.DeliveryClient;
import io.rapport.client.RapportClient;
import io.rapport.delivery.v1.Integration;
import io.rapport.delivery.v1.Issue;
import io.rapport.delivery.v1.IssueChangelog;
import io.rapport.delivery.v1.Status;
import io.rapport.delivery.v1.StatusMapping;
import io.rapport.delivery.v1.Workflow;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A tenant's tracker with a workflow, statuses and issues. */
final class Team {
  /** What a status means: its category, and its step of work. */
  record Meaning(String category, int step, boolean commitment) {}

  static final Map<String, Meaning> STATUSES = new LinkedHashMap<>();

  static {
    STATUSES.put("Backlog", new Meaning("TO_DO", 1, false));
    STATUSES.put("To Do", new Meaning("TO_DO", 4, true));
    STATUSES.put("Ready", new Meaning("TO_DO", 4, true));
    STATUSES.put("In Progress", new Meaning("IN_PROGRESS", 5, false));
    STATUSES.put("Development", new Meaning("IN_PROGRESS", 5, false));
    STATUSES.put("Testing", new Meaning("WAITING", 7, false));
    STATUSES.put("Done", new Meaning("DONE", 11, false));
    STATUSES.put("Discarded", new Meaning("DISCARDED", 0, false));
    STATUSES.put("Unmapped", new Meaning("IN_PROGRESS", 0, false));
  }

  final DeliveryClient delivery;
  String integration = "";
  final Map<String, Workflow> steps = new LinkedHashMap<>();
  final Map<String, StatusMapping> mappings = new LinkedHashMap<>();
  final Map<String, Status> statuses = new LinkedHashMap<>();

  Team(RapportClient client) {
    this.delivery = client.delivery();
  }

  static Team of(RapportClient client) {
    Team team = new Team(client);
    team.integration =
        team.delivery
            .integrations()
            .create(Integration.newBuilder().setName("tracker").build())
            .getId();
    STATUSES.forEach(team::make);
    return team;
  }

  private void make(String name, Meaning meaning) {
    Status.Builder status =
        Status.newBuilder().setIntegrationId(integration).setExternalId(name).setOriginalName(name);
    if (name.equals("Unmapped")) {
      status.setCategory(Status.Category.valueOf(meaning.category()));
    } else {
      // what the source says of a status that is mapped counts for nothing
      status.setCategory(Status.Category.OTHER).setStatusMappingId(mapping(name, meaning).getId());
    }
    statuses.put(name, delivery.statuses().create(status.build()));
  }

  private StatusMapping mapping(String name, Meaning meaning) {
    StatusMapping mapping =
        delivery
            .statusMappings()
            .create(
                StatusMapping.newBuilder()
                    .setStatusFrom(name)
                    .setStatusTo(name)
                    .setStatusCategory(StatusMapping.Category.valueOf(meaning.category()))
                    .setWorkflowId(step(name, meaning).getId())
                    .build());
    mappings.put(name, mapping);
    return mapping;
  }

  private Workflow step(String name, Meaning meaning) {
    Workflow shared = meaning.commitment() ? steps.get("To Do") : null;
    if (shared != null) {
      return shared;
    }
    Workflow.Builder step =
        Workflow.newBuilder()
            .setStepName(name)
            .setStepCategory(Workflow.Category.valueOf(meaning.category()))
            .setIsCommitmentPoint(meaning.commitment());
    if (meaning.step() > 0) {
      step.setStepNumber(meaning.step());
    }
    Workflow made = delivery.workflows().create(step.build());
    steps.put(name, made);
    return made;
  }

  Workflow step(String name) {
    return Objects.requireNonNull(steps.get(name), name);
  }

  StatusMapping mapping(String name) {
    return Objects.requireNonNull(mappings.get(name), name);
  }

  Status status(String name) {
    return Objects.requireNonNull(statuses.get(name), name);
  }

  /** An issue that was made at a second of 2026, or nobody knows when. */
  Issue issue(String key, int createdSecond) {
    Issue.Builder issue =
        Issue.newBuilder().setIntegrationId(integration).setExternalId(key).setKey(key);
    if (createdSecond >= 0) {
      issue.setCreated(at(createdSecond));
    }
    return delivery.issues().create(issue.build());
  }

  List<Issue> issues(int count) {
    List<Issue> issues = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      issues.add(issue("T-" + i, i == 0 ? -1 : 100 * i));
    }
    return issues;
  }

  IssueChangelog.Builder move(Issue issue, String id, String from, String to, int second) {
    IssueChangelog.Builder move =
        IssueChangelog.newBuilder()
            .setIntegrationId(integration)
            .setIssueId(issue.getId())
            .setExternalId(id)
            .setTransitionChangeDate(at(second));
    if (!from.isEmpty()) {
      move.setFromStatusId(status(from).getId());
    }
    return to.isEmpty() ? move : move.setToStatusId(status(to).getId());
  }

  static Timestamp at(int second) {
    return Timestamp.newBuilder()
        .setSeconds(Instant.parse("2026-01-01T00:00:00Z").getEpochSecond() + second)
        .build();
  }

  Issue read(Issue issue) {
    return delivery.issues().get(issue.getId()).orElseThrow();
  }
}
