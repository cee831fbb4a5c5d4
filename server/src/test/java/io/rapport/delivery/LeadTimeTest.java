package io.rapport.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.protobuf.Timestamp;
import io.rapport.client.RapportClient;
import io.rapport.delivery.v1.DoraMarketBenchmark;
import io.rapport.delivery.v1.DoraMarketBenchmark.Tier;
import io.rapport.delivery.v1.DoraServiceGrpc;
import io.rapport.delivery.v1.GetLeadTimeForecastRequest;
import io.rapport.delivery.v1.GetLeadTimeForecastRequest.Horizon;
import io.rapport.delivery.v1.GetLeadTimeRequest;
import io.rapport.delivery.v1.Issue;
import io.rapport.delivery.v1.Issuetype;
import io.rapport.delivery.v1.IssuetypeHierarchy;
import io.rapport.delivery.v1.IssuetypeMapping;
import io.rapport.delivery.v1.JiraPullRequestLink;
import io.rapport.delivery.v1.LeadTimeFigures;
import io.rapport.delivery.v1.LeadTimeFilter;
import io.rapport.delivery.v1.LeadTimeForecast;
import io.rapport.delivery.v1.LeadTimeForecast.Method;
import io.rapport.delivery.v1.LeadTimeReport;
import io.rapport.delivery.v1.LeadTimeWeek;
import io.rapport.delivery.v1.MarketComparison;
import io.rapport.delivery.v1.Repository;
import io.rapport.platform.v1.UpsertOutcome;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LeadTimeTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final RapportClient NOWHERE = RapportClient.connect("127.0.0.1:1");
  private static final int DAY = 86_400;
  private static final int WEEK = 7 * DAY;

  /** 2026-01-05, a Monday, in seconds of the year. */
  private static final int MONDAY = 4 * DAY;

  private final Map<String, String> types = new HashMap<>();
  private final List<String> repositories = new ArrayList<>();
  private Team team = new Team(NOWHERE);
  private int made;

  @BeforeEach
  void makeTeam() {
    team = Team.of(rapport.client());
    types.clear();
    repositories.clear();
    made = 0;
    String story = level("Story", 0);
    String epic = level("Epic", 1);
    type("Story", story);
    type("Tech Enhancement", story);
    type("Bug", story);
    type("Epic", epic);
    for (String name : List.of("a", "b")) {
      repositories.add(
          team.delivery
              .repositories()
              .create(
                  Repository.newBuilder()
                      .setIntegrationId(team.integration)
                      .setExternalId(name)
                      .build())
              .getId());
    }
  }

  private String level(String name, int number) {
    return team.delivery
        .issuetypeHierarchies()
        .create(IssuetypeHierarchy.newBuilder().setLevelName(name).setLevelNumber(number).build())
        .getId();
  }

  private void type(String name, String level) {
    String mapping =
        team.delivery
            .issuetypeMappings()
            .create(
                IssuetypeMapping.newBuilder()
                    .setIssuetypeFrom("Raw " + name)
                    .setIssuetypeTo(name)
                    .setIssuetypeHierarchyId(level)
                    .build())
            .getId();
    types.put(
        name,
        team.delivery
            .issuetypes()
            .create(
                Issuetype.newBuilder()
                    .setIntegrationId(team.integration)
                    .setExternalId(name)
                    .setOriginalName("Raw " + name)
                    .setIssuetypeMappingId(mapping)
                    .setHierarchyLevel(0)
                    .build())
            .getId());
  }

  private String issueType(String name) {
    return Objects.requireNonNull(types.get(name), name);
  }

  /** An issue that was done so long after it was begun, with a merged pull request. */
  private Issue done(int doneAt, int seconds, Consumer<Issue.Builder> more) {
    Issue.Builder issue =
        Issue.newBuilder()
            .setIntegrationId(team.integration)
            .setExternalId("L-" + made++)
            .setIssuetypeId(issueType("Story"))
            .setStatusId(team.status("Done").getId())
            .setTeam("red");
    more.accept(issue);
    Issue stored = team.delivery.issues().create(issue.build());
    team.delivery
        .issueChangelogs()
        .upsert(
            List.of(
                team.move(stored, "1", "", "To Do", doneAt - seconds).build(),
                team.move(stored, "2", "To Do", "Done", doneAt).build()));
    link(stored, "a", JiraPullRequestLink.Status.MERGED);
    return stored;
  }

  private void link(Issue issue, String repository, JiraPullRequestLink.Status status) {
    team.delivery
        .jiraPullRequestLinks()
        .upsert(
            JiraPullRequestLink.newBuilder()
                .setIntegrationId(team.integration)
                .setIssueId(issue.getId())
                .setExternalRepoId(repository)
                .setRepoFullName("example/" + repository)
                .setPullRequestNumber(1)
                .setPrStatus(status)
                .build());
  }

  private static GetLeadTimeRequest.Builder year() {
    return GetLeadTimeRequest.newBuilder().setFrom(Team.at(0)).setTo(Team.at(365 * DAY));
  }

  private LeadTimeReport report(GetLeadTimeRequest.Builder request) {
    return team.delivery.dora().leadTime(request.build());
  }

  @Test
  void isToldWeekByWeekAndInAll() {
    Random random = new Random(7);
    List<Integer> all = new ArrayList<>();
    Map<Integer, List<Integer>> weeks = new TreeMap<>();
    for (int i = 0; i < 40; i++) {
      int week = random.nextInt(6);
      int seconds = 3600 + random.nextInt(20 * DAY);
      done(MONDAY + 8 * WEEK + week * WEEK + random.nextInt(WEEK), seconds, it -> {});
      all.add(seconds);
      weeks.computeIfAbsent(8 + week, it -> new ArrayList<>()).add(seconds);
    }

    LeadTimeReport report = report(year());

    requireFigures(report.getFigures(), all);
    assertThat(report.getWeeksList())
        .extracting(LeadTimeWeek::getWeekStartAt)
        .containsExactlyElementsOf(
            weeks.keySet().stream().map(it -> Team.at(MONDAY + it * WEEK)).toList());
    for (LeadTimeWeek week : report.getWeeksList()) {
      long seconds = week.getWeekStartAt().getSeconds() - Team.at(MONDAY).getSeconds();
      requireFigures(week.getFigures(), weeks.getOrDefault((int) (seconds / WEEK), List.of()));
    }
  }

  private static void requireFigures(LeadTimeFigures told, List<Integer> seconds) {
    List<Integer> sorted = seconds.stream().sorted().toList();
    assertThat(told.getCount()).isEqualTo(sorted.size());
    assertThat(told.getMinSeconds()).isEqualTo(sorted.getFirst().doubleValue());
    assertThat(told.getMaxSeconds()).isEqualTo(sorted.getLast().doubleValue());
    assertThat(told.getMedianSeconds()).isCloseTo(percentile(sorted, 0.5), within(1e-6));
    assertThat(told.getP75Seconds()).isCloseTo(percentile(sorted, 0.75), within(1e-6));
    assertThat(told.getP90Seconds()).isCloseTo(percentile(sorted, 0.9), within(1e-6));
    assertThat(told.getMeanSeconds())
        .isCloseTo(sorted.stream().mapToInt(it -> it).average().orElseThrow(), within(1e-6));
  }

  private static double percentile(List<Integer> sorted, double part) {
    double at = part * (sorted.size() - 1);
    int below = (int) at;
    int above = Math.min(below + 1, sorted.size() - 1);
    return sorted.get(below) + (at - below) * (sorted.get(above) - sorted.get(below));
  }

  @Test
  void countsWhatTheRuleCounts() {
    done(MONDAY, DAY, it -> {});
    done(MONDAY, DAY, it -> it.setIssuetypeId(issueType("Tech Enhancement")));
    done(MONDAY, DAY, it -> it.setIssuetypeId(issueType("Bug")));
    done(MONDAY, DAY, it -> it.setIssuetypeId(issueType("Epic")));
    done(MONDAY, DAY, it -> it.clearIssuetypeId());
    done(MONDAY, DAY, it -> it.setStatusId(team.status("Testing").getId()));
    done(MONDAY, 0, it -> {});
    team.delivery.issues().delete(done(MONDAY, DAY, it -> {}).getId());
    link(done(MONDAY, DAY, it -> {}), "a", JiraPullRequestLink.Status.OPEN);
    done(MONDAY - WEEK, DAY, it -> {});
    done(MONDAY + WEEK, DAY, it -> {});

    assertThat(count(LeadTimeFilter.newBuilder())).isEqualTo(2);
  }

  private long count(LeadTimeFilter.Builder filter) {
    return report(year().setFilter(filter).setFrom(Team.at(MONDAY)).setTo(Team.at(MONDAY + WEEK)))
        .getFigures()
        .getCount();
  }

  @Test
  void isOfThoseThatPassTheFilter() {
    done(MONDAY, DAY, it -> {});
    done(MONDAY, DAY, it -> it.setTeam("blue"));
    done(MONDAY, DAY, it -> it.setIssuetypeId(issueType("Bug")));
    link(done(MONDAY, DAY, it -> {}), "b", JiraPullRequestLink.Status.MERGED);

    assertThat(count(LeadTimeFilter.newBuilder())).isEqualTo(3);
    assertThat(count(LeadTimeFilter.newBuilder().addTeams("blue"))).isEqualTo(1);
    assertThat(count(LeadTimeFilter.newBuilder().addIssueTypes("bug"))).isEqualTo(1);
    assertThat(count(LeadTimeFilter.newBuilder().addRepositoryIds(repositories.get(1))))
        .isEqualTo(1);
    assertThat(count(LeadTimeFilter.newBuilder().addProjectIds(repositories.get(1)))).isZero();
  }

  @Test
  void isComparedWithAReport() {
    List<UpsertOutcome> benchmarks =
        team.delivery
            .dora()
            .upsertBenchmarks(
                List.of(
                    benchmark(Tier.ELITE, "Less than one day"),
                    benchmark(Tier.HIGH, "1 day to 1 week"),
                    benchmark(Tier.MEDIUM, "1 week to 1 month"),
                    benchmark(Tier.LOW, "1 month to 6 months")));
    done(MONDAY, DAY / 2, it -> {});
    done(MONDAY, 6 * DAY, it -> {});
    done(MONDAY, 20 * DAY, it -> {});
    done(MONDAY, 200 * DAY, it -> {});

    LeadTimeReport report = report(year().setReportYear(2031));

    assertThat(report.getTier()).isEqualTo(Tier.MEDIUM);
    assertThat(report.getReportYear()).isEqualTo(2031);
    assertThat(report.getComparisonsList())
        .extracting(MarketComparison::getShare)
        .containsExactly(0.25, 0.5, 0.75, 0.75);
    assertThat(report.getComparisonsList())
        .extracting(MarketComparison::getMaxSeconds)
        .containsExactly(1.0 * DAY, 7.0 * DAY, 30.0 * DAY, 180.0 * DAY);
    assertThat(
            Told.by(() ->
                    DoraServiceGrpc.newBlockingStub(rapport.channel())
                        .getLeadTime(year().setReportYear(2032).build()))
                .reason())
        .isEqualTo("RESOURCE_NOT_FOUND");

    benchmarks.forEach(it -> team.delivery.dora().deleteBenchmark(it.getId()));
  }

  private static DoraMarketBenchmark benchmark(Tier tier, String value) {
    return DoraMarketBenchmark.newBuilder()
        .setReportYear(2031)
        .setPerformanceTier(tier)
        .setMetricName("Lead Time for Changes")
        .setMetricValue(value)
        .build();
  }

  @ParameterizedTest
  @EnumSource(
      value = Method.class,
      names = {"LINEAR", "HOLT_WINTERS", "TREND_AND_SEASONS"})
  void isForetoldWhereItGoesUpALine(Method method) {
    for (int week = 0; week < 12; week++) {
      if (week != 5) { // which is filled in
        done(MONDAY + week * WEEK, DAY + week * 3600, it -> {});
      }
    }
    GetLeadTimeForecastRequest request =
        GetLeadTimeForecastRequest.newBuilder()
            .setFrom(Team.at(0))
            .setTo(Team.at(MONDAY + 12 * WEEK + DAY))
            .setMethod(method)
            .setHorizon(Horizon.TWENTY_FOUR_WEEKS)
            .build();

    LeadTimeForecast forecast = team.delivery.dora().leadTimeForecast(request);

    assertThat(forecast.getHistoryCount()).isEqualTo(11);
    assertThat(forecast.getWeeksCount()).isEqualTo(24);
    assertThat(forecast.getWeeks(0).getWeekStartAt()).isEqualTo(Team.at(MONDAY + 12 * WEEK));
    for (int i = 0; i < 24; i++) {
      LeadTimeForecast.Week week = forecast.getWeeks(i);
      double line = DAY + (12 + i) * 3600;
      assertThat(week.getMedianSeconds()).isCloseTo(line, within(0.2 * line));
      assertThat(week.getMedianSeconds()).isBetween(week.getLowerSeconds(), week.getUpperSeconds());
    }
    assertThat(forecast.getHeldOutWeeks()).isEqualTo(2);
    assertThat(forecast.getRSquared()).isLessThanOrEqualTo(1);
    assertThat(team.delivery.dora().leadTimeForecast(request)).isEqualTo(forecast);
  }

  @Test
  void isNotForetoldFromOneWeek() {
    done(MONDAY, DAY, it -> {});
    GetLeadTimeForecastRequest.Builder request =
        GetLeadTimeForecastRequest.newBuilder()
            .setFrom(Team.at(0))
            .setTo(Team.at(MONDAY + 12 * WEEK));
    var stub = DoraServiceGrpc.newBlockingStub(rapport.channel());

    Told told = Told.by(() -> stub.getLeadTimeForecast(request.build()));

    assertThat(told.reason()).isEqualTo("TOO_FEW_POINTS");
    assertThat(told.metadata()).containsEntry("points", "1").containsEntry("needed", "2");

    done(MONDAY + WEEK, 2 * DAY, it -> {});
    LeadTimeForecast forecast = stub.getLeadTimeForecast(request.build());
    assertThat(forecast.getHeldOutWeeks()).isZero();
    assertThat(forecast.hasRSquared()).isFalse();
    assertThat(forecast.getWeeks(0).hasLowerSeconds()).isFalse();
    assertThat(forecast.getWeeksCount()).isEqualTo(12);
  }

  @Test
  void wantsATimeThatIsOne() {
    var stub = DoraServiceGrpc.newBlockingStub(rapport.channel());

    assertThat(Told.by(() -> stub.getLeadTime(year().setTo(Team.at(0)).build())).fields())
        .containsExactly("from");
    assertThat(Told.by(() -> stub.getLeadTime(year().setTo(Team.at(2000 * DAY)).build())).fields())
        .containsExactly("from");
    Timestamp first = Timestamp.newBuilder().setSeconds(-62_135_596_800L).build(); // 0001-01-01
    assertThat(Told.by(() -> stub.getLeadTime(year().clearFrom().setTo(first).build())).fields())
        .containsExactly("to");
    Timestamp last = Timestamp.newBuilder().setSeconds(253_402_300_799L).build(); // 9999-12-31
    assertThat(stub.getLeadTime(year().clearFrom().setTo(last).build()).getFigures().getCount())
        .isZero();
  }

  @Test
  void isOfOneTenant() {
    done(MONDAY, DAY, it -> {});
    try (RapportClient other = rapport.clientOf(rapport.newTenant())) {
      assertThat(other.delivery().dora().leadTime(year().build()).getFigures().getCount()).isZero();
    }
    assertThat(report(year()).getFigures().getCount()).isEqualTo(1);
  }
}
