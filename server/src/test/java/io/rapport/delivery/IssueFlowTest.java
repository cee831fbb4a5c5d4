package io.rapport.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.client.RapportClient;
import io.rapport.delivery.v1.Issue;
import io.rapport.delivery.v1.IssueChangelog;
import io.rapport.delivery.v1.ListIssueChangelogsRequest;
import io.rapport.delivery.v1.StatusMapping;
import io.rapport.delivery.v1.Workflow;
import io.rapport.server.Rapport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Figures of issues are those that one would work out on paper, however their changes came. */
class IssueFlowTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final RapportClient NOWHERE = RapportClient.connect("127.0.0.1:1");

  private final Map<String, Team.Meaning> meanings = new HashMap<>();
  private Team team = new Team(NOWHERE);

  @BeforeEach
  void makeTeam() {
    team = Team.of(rapport.client());
    meanings.clear();
    team.statuses.forEach((name, it) -> meanings.put(it.getId(), Team.STATUSES.get(name)));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void followAllChangesInTheirOrder(long seed) {
    Random random = new Random(seed);
    List<Issue> issues = team.issues(3);
    List<IssueChangelog.Builder> history = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      history.add(randomMove(random, issues.get(random.nextInt(3)), i));
    }
    Collections.shuffle(history, random);
    for (List<IssueChangelog.Builder> part : parts(history, random)) {
      team.delivery.issueChangelogs().upsert(part.stream().map(it -> it.build()).toList());
      requireRight(issues);
    }

    for (int i = 0; i < 10; i++) {
      IssueChangelog any = any(random);
      switch (random.nextInt(4)) {
        case 0 -> team.delivery.issueChangelogs().delete(any.getId());
        case 1 -> team.delivery.issueChangelogs().deleteForGood(any.getId());
        case 2 -> team.delivery.issueChangelogs().upsert(corrected(any, random));
        default ->
            team.delivery
                .issues()
                .upsert(
                    team.read(issues.get(random.nextInt(3))).toBuilder()
                        .setCreated(Team.at(random.nextInt(500)))
                        .build());
      }
      requireRight(issues);
    }
  }

  private IssueChangelog.Builder randomMove(Random random, Issue issue, int id) {
    return team.move(
        issue,
        Integer.toString(id),
        name(random),
        name(random),
        // few seconds, so that some changes come at the same one
        60 * random.nextInt(20));
  }

  private static String name(Random random) {
    List<String> names = new ArrayList<>(Team.STATUSES.keySet());
    int at = random.nextInt(names.size() + 1);
    return at == names.size() ? "" : names.get(at);
  }

  private static <T> List<List<T>> parts(List<T> all, Random random) {
    List<List<T>> parts = new ArrayList<>();
    for (int from = 0; from < all.size(); ) {
      int to = Math.min(all.size(), from + 1 + random.nextInt(12));
      parts.add(all.subList(from, to));
      from = to;
    }
    return parts;
  }

  private IssueChangelog any(Random random) {
    List<IssueChangelog> all = all();
    return all.get(random.nextInt(all.size()));
  }

  private List<IssueChangelog> all() {
    return team.delivery
        .issueChangelogs()
        .list(ListIssueChangelogsRequest.newBuilder().setShowInactive(true).build())
        .toList();
  }

  private IssueChangelog corrected(IssueChangelog changelog, Random random) {
    return changelog.toBuilder()
        .setActive(true)
        .setTransitionChangeDate(Team.at(60 * random.nextInt(20)))
        .setToStatusId(team.status("Done").getId())
        .build();
  }

  private void requireRight(List<Issue> issues) {
    List<IssueChangelog> all = all();
    for (Issue issue : issues) {
      List<IssueChangelog> own =
          all.stream().filter(it -> it.getIssueId().equals(issue.getId())).toList();
      List<IssueChangelog.Builder> expected = own.stream().map(it -> it.toBuilder()).toList();
      Issue read = team.read(issue);
      Issue figures = new ReferenceFlow(meanings::get).of(read, expected);

      assertThat(ReferenceFlow.figures(read)).isEqualTo(figures);
      assertThat(own).isEqualTo(expected.stream().map(it -> it.build()).toList());
    }
  }

  @Test
  void areKnownToWhoWritesAChange() {
    Issue issue = team.issue("T-1", 0);

    IssueChangelog made =
        team.delivery.issueChangelogs().create(team.move(issue, "1", "To Do", "Done", 60).build());

    assertThat(made.getTransitionStartDate()).isEqualTo(Team.at(0));
    assertThat(made.getTimeInStatusSeconds()).isEqualTo(60);
    assertThat(made).isEqualTo(all().getFirst());
  }

  @Test
  void areChangesOfTheIssue() {
    Issue issue = team.issue("T-1", 0);
    team.delivery.issueChangelogs().upsert(team.move(issue, "2", "To Do", "Done", 60).build());
    Issue read = team.read(issue);

    assertThat(read.getEtag()).isNotEqualTo(issue.getEtag());
    assertThat(logged("delivery.issue", issue.getId())).isEqualTo(2);
    assertThat(logged("delivery.issue_changelog", all().getFirst().getId())).isEqualTo(1);

    team.delivery.issueChangelogs().upsert(team.move(issue, "1", "", "To Do", 30).build());

    assertThat(logged("delivery.issue_changelog", idOf("2"))).isEqualTo(2);
  }

  private String idOf(String externalId) {
    return all().stream()
        .filter(it -> it.getExternalId().equals(externalId))
        .findFirst()
        .orElseThrow()
        .getId();
  }

  private static int logged(String kind, String id) {
    return rapport
        .sql()
        .fetchSingle(
            "SELECT count(*) FROM platform.change_log WHERE tenant_id = ? AND kind = ?"
                + " AND entity_id = ?::uuid",
            rapport.tenant(),
            kind,
            id)
        .get(0, Integer.class);
  }

  @Test
  void leaveEtagsThatABatchWasAnsweredAsTheyAre() {
    Issue issue = team.issue("T-1", 0);

    var outcomes =
        team.delivery
            .issueChangelogs()
            .upsert(
                List.of(
                    team.move(issue, "1", "To Do", "In Progress", 60).build(),
                    team.move(issue, "2", "In Progress", "Done", 90).build()));

    assertThat(all()).extracting(IssueChangelog::getEtag).containsOnly("\"1\"");
    assertThat(outcomes).allMatch(it -> it.getEtag().equals("\"1\""));
  }

  @Test
  void missNoneOfManyWriters() throws Exception {
    Issue issue = team.issue("T-1", 0);
    List<Callable<IssueChangelog>> writes =
        IntStream.range(0, 40)
            .<Callable<IssueChangelog>>mapToObj(i ->
                () ->
                    team.delivery
                        .issueChangelogs()
                        .upsert(
                            team.move(
                                    issue,
                                    "" + i,
                                    i % 2 == 0 ? "To Do" : "In Progress",
                                    i % 2 == 0 ? "In Progress" : "To Do",
                                    60 * i)
                                .build()))
            .toList();

    try (var threads = Executors.newFixedThreadPool(6)) {
      for (var done : threads.invokeAll(writes)) {
        done.get();
      }
    }

    requireRight(List.of(issue));
    assertThat(team.read(issue).getTotalWorkStarts()).isEqualTo(20);
  }

  @Test
  void followTheMeaningsOfStatuses() {
    List<Issue> issues = team.issues(1);
    Issue issue = issues.getFirst();
    team.delivery
        .issueChangelogs()
        .upsert(
            List.of(
                team.move(issue, "1", "", "Testing", 60).build(),
                team.move(issue, "2", "Testing", "Done", 90).build()));
    assertThat(team.read(issue).getTotalWorkStarts()).isZero();

    StatusMapping mapping = team.mapping("Testing");
    team.delivery
        .statusMappings()
        .update(
            mapping.toBuilder().setStatusCategory(StatusMapping.Category.IN_PROGRESS).build(),
            "status_category");
    meanings.put(team.status("Testing").getId(), new Team.Meaning("IN_PROGRESS", 7, false));
    requireRight(issues);
    assertThat(team.read(issue).getTotalWorkStarts()).isEqualTo(1);

    Workflow step = team.step("To Do");
    team.delivery.workflows().update(step.toBuilder().setIsCommitmentPoint(false).build());
    team.delivery
        .workflows()
        .update(team.step("Testing").toBuilder().setIsCommitmentPoint(true).build());
    assertThat(team.read(issue).getTotalLeadTimeSeconds()).isEqualTo(30);

    team.delivery
        .statuses()
        .update(
            team.status("Done").toBuilder()
                .setStatusMappingId(team.mapping("Discarded").getId())
                .build());
    assertThat(team.read(issue).getTotalCompletions()).isZero();
  }

  @Test
  void ofManyIssuesFollowThemSoon() {
    List<Issue> issues = team.issues(3);
    for (int part = 0; part < 3; part++) {
      List<IssueChangelog> many = new ArrayList<>();
      for (int i = 0; i < 500; i++) {
        many.add(
            team.move(issues.get(part), "" + i, i % 2 == 0 ? "" : "Testing", "Testing", 60 * i)
                .build());
      }
      team.delivery.issueChangelogs().upsert(many);
    }

    team.delivery
        .statusMappings()
        .update(
            team.mapping("Testing").toBuilder()
                .setStatusCategory(StatusMapping.Category.DONE)
                .build());

    long began = System.nanoTime();
    while (!issues.stream().allMatch(it -> team.read(it).getTotalCompletions() == 250)) {
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(20));
    }
    while (!rapport
        .sql()
        .fetch("SELECT FROM delivery.changed_meanings WHERE tenant_id = ?", rapport.tenant())
        .isEmpty()) {
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(20));
    }
  }

  /** Whoever writes an issue waits for meanings that are being changed, and not the reverse. */
  @Test
  @Timeout(60)
  void followMeaningsThoughSomebodyWritesAnIssue() {
    Issue issue = team.issues(1).getFirst();
    team.delivery
        .issueChangelogs()
        .upsert(List.of(team.move(issue, "1", "", "Testing", 60).build()));
    StatusMapping mapping = team.mapping("Testing");

    rapport
        .sql()
        .transaction(writing -> {
          writing
              .dsl()
              .execute(
                  "SELECT FROM delivery.issues WHERE tenant_id = ? FOR UPDATE", rapport.tenant());
          team.delivery
              .statusMappings()
              .update(
                  mapping.toBuilder().setStatusCategory(StatusMapping.Category.DONE).build(),
                  "status_category");
        });

    long began = System.nanoTime();
    while (team.read(issue).getTotalCompletions() != 1) {
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(20));
    }
  }

  @Test
  void concernOneTenantOnly() {
    Issue issue = team.issue("T-1", 0);
    team.delivery.issueChangelogs().upsert(team.move(issue, "1", "", "Done", 60).build());
    Issue before = team.read(issue);
    try (RapportClient other = rapport.clientOf(rapport.newTenant())) {
      Team theirs = Team.of(other);
      Issue same = theirs.issue("T-1", 0);

      theirs.delivery.issueChangelogs().upsert(theirs.move(same, "1", "", "To Do", 60).build());
      theirs
          .delivery
          .statusMappings()
          .update(
              theirs.mapping("Done").toBuilder()
                  .setStatusCategory(StatusMapping.Category.WAITING)
                  .build());

      assertThat(theirs.read(same).getTotalCompletions()).isZero();
      assertThat(team.read(issue)).isEqualTo(before);
    }
  }
}
