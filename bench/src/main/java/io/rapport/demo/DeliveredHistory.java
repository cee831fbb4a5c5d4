package io.rapport.demo;

import com.google.protobuf.Message;
import io.rapport.client.DeliveryClient;
import io.rapport.client.RapportClient;
import io.rapport.client.ResourceClient;
import io.rapport.delivery.v1.Integration;
import io.rapport.delivery.v1.PullRequest;
import io.rapport.delivery.v1.PullRequestCommit;
import io.rapport.delivery.v1.Repository;
import io.rapport.platform.v1.UpsertOutcome;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Turns commits into repositories, pull requests and their commits. */
final class DeliveredHistory {
  private static final int BATCH = 1000;

  private final DeliveryClient delivery;
  private final String integration;

  DeliveredHistory(RapportClient client) {
    this.delivery = client.delivery();
    this.integration =
        delivery.integrations().upsert(Integration.newBuilder().setName("GitHub").build()).getId();
  }

  /** Writes all; ids of the commits, in the order of the subjects. */
  List<String> write(List<Subject> subjects) {
    Map<String, String> repositories = repositories(subjects);
    Map<String, String> pullRequests = pullRequests(subjects, repositories);
    List<PullRequestCommit> commits = new ArrayList<>();
    for (Subject it : subjects) {
      commits.add(
          PullRequestCommit.newBuilder()
              .setIntegrationId(integration)
              .setPullRequestId(pullRequests.getOrDefault(it.pullRequest(), ""))
              .setExternalId(it.event())
              .setMessage(it.text())
              .setAuthoredDate(it.written())
              .setCommittedDate(it.taken())
              .build());
    }
    return upsert(delivery.pullRequestCommits(), commits);
  }

  private Map<String, String> repositories(List<Subject> subjects) {
    List<String> names = subjects.stream().map(Subject::repository).distinct().toList();
    List<Repository> rows = new ArrayList<>();
    for (String name : names) {
      rows.add(
          Repository.newBuilder()
              .setIntegrationId(integration)
              .setExternalId(name)
              .setFullName(name)
              .setName(name.substring(name.indexOf('/') + 1))
              .build());
    }
    return named(names, upsert(delivery.repositories(), rows));
  }

  private Map<String, String> pullRequests(
      List<Subject> subjects, Map<String, String> repositories) {
    Map<String, PullRequest> rows = new LinkedHashMap<>();
    for (Subject it : subjects) {
      rows.putIfAbsent(
          it.pullRequest(),
          PullRequest.newBuilder()
              .setIntegrationId(integration)
              .setRepositoryId(repositories.getOrDefault(it.repository(), ""))
              .setExternalRepoId(it.repository())
              .setNumber(it.number())
              .setName(it.text())
              .setStatus(PullRequest.Status.MERGED)
              .build());
    }
    return named(
        List.copyOf(rows.keySet()), upsert(delivery.pullRequests(), List.copyOf(rows.values())));
  }

  private static <T extends Message> List<String> upsert(ResourceClient<T, ?, ?> to, List<T> rows) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < rows.size(); i += BATCH) {
      to.upsert(rows.subList(i, Math.min(i + BATCH, rows.size()))).stream()
          .map(UpsertOutcome::getId)
          .forEach(ids::add);
    }
    return ids;
  }

  private static Map<String, String> named(List<String> names, List<String> ids) {
    Map<String, String> named = new HashMap<>();
    for (int i = 0; i < names.size(); i++) {
      named.put(names.get(i), ids.get(i));
    }
    return named;
  }
}
