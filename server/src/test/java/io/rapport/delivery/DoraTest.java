package io.rapport.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.rapport.client.DoraClient;
import io.rapport.client.InvalidArgumentException;
import io.rapport.client.NotFoundException;
import io.rapport.client.PermissionDeniedException;
import io.rapport.client.RapportClient;
import io.rapport.delivery.v1.DoraMarketBenchmark;
import io.rapport.delivery.v1.DoraMarketBenchmark.Tier;
import io.rapport.delivery.v1.DoraMarketBenchmarkServiceGrpc;
import io.rapport.delivery.v1.DoraMetricInsight;
import io.rapport.delivery.v1.GetDoraMarketBenchmarkRequest;
import io.rapport.delivery.v1.ListDoraMarketBenchmarksRequest;
import io.rapport.delivery.v1.ListDoraMetricInsightsRequest;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.platform.v1.UpsertOutcome;
import io.rapport.platform.v1.UpsertOutcome.Result;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Benchmarks that all tenants share. Each test has a metric of its own, because they do. */
class DoraTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private final String metric = "m" + Given.id().substring(0, 8);

  private static DoraClient dora() {
    return rapport.client().delivery().dora();
  }

  private DoraMarketBenchmark benchmark(Tier tier, String value) {
    return DoraMarketBenchmark.newBuilder()
        .setReportYear(2024)
        .setPerformanceTier(tier)
        .setMetricName(metric)
        .setMetricValue(value)
        .build();
  }

  private ListDoraMarketBenchmarksRequest.Builder ofMetric() {
    return ListDoraMarketBenchmarksRequest.newBuilder().setMetricName(metric);
  }

  @Test
  void areReadByEveryTenant() {
    dora().upsertBenchmarks(List.of(benchmark(Tier.ELITE, "1"), benchmark(Tier.LOW, "9")));

    try (RapportClient other =
        RapportClient.builder("127.0.0.1:" + rapport.port())
            .token(rapport.tokens().of(rapport.newTenant(), "delivery.read"))
            .build()) {
      List<DoraMarketBenchmark> found =
          other.delivery().dora().benchmarks(ofMetric().setPageSize(1).build()).toList();
      assertThat(found)
          .extracting(DoraMarketBenchmark::getPerformanceTier)
          .containsExactly(Tier.ELITE, Tier.LOW);
      assertThat(found.getFirst().getReportSource()).isEqualTo("Google DORA Report");
      assertThat(
              other
                  .delivery()
                  .dora()
                  .benchmarks(ofMetric().addPerformanceTier(Tier.LOW).setReportYear(2024).build()))
          .containsExactly(found.getLast());
      assertThat(other.delivery().dora().benchmarks(ofMetric().setReportYear(2023).build()))
          .isEmpty();
    }
  }

  @Test
  void areWrittenByOperatorsOnly() {
    try (RapportClient writer =
        RapportClient.builder("127.0.0.1:" + rapport.port())
            .token(rapport.tokens().of(rapport.tenant(), "delivery.read delivery.write"))
            .build()) {
      PermissionDeniedException refused =
          catchThrowableOfType(
              PermissionDeniedException.class,
              () -> writer.delivery().dora().upsertBenchmarks(List.of(benchmark(Tier.HIGH, "1"))));

      assertThat(refused.reason()).isEqualTo(ErrorReason.RIGHT_MISSING);
    }
    assertThat(dora().benchmarks(ofMetric().build())).isEmpty();
  }

  @Test
  void areWrittenOnlyWhereTheyDiffer() {
    dora().upsertBenchmarks(List.of(benchmark(Tier.ELITE, "1"), benchmark(Tier.HIGH, "2")));

    List<UpsertOutcome> outcomes =
        dora()
            .upsertBenchmarks(
                List.of(
                    benchmark(Tier.MEDIUM, "3"),
                    benchmark(Tier.ELITE, "1"),
                    benchmark(Tier.HIGH, "4")));

    assertThat(outcomes)
        .extracting(UpsertOutcome::getResult)
        .containsExactly(Result.CREATED, Result.UNCHANGED, Result.UPDATED);
    DoraMarketBenchmark changed =
        DoraMarketBenchmarkServiceGrpc.newBlockingStub(rapport.channel())
            .getDoraMarketBenchmark(
                GetDoraMarketBenchmarkRequest.newBuilder().setId(outcomes.get(2).getId()).build());
    assertThat(changed.getMetricValue()).isEqualTo("4");
    assertThat(changed.getEtag()).isEqualTo(outcomes.get(2).getEtag()).isEqualTo("\"2\"");
  }

  @Test
  void refusesTheSameOneTwice() {
    InvalidArgumentException refused =
        catchThrowableOfType(
            InvalidArgumentException.class,
            () ->
                dora()
                    .upsertBenchmarks(
                        List.of(
                            benchmark(Tier.LOW, "1"),
                            benchmark(Tier.HIGH, "1"),
                            benchmark(Tier.LOW, "2"))));

    assertThat(refused.fieldViolations())
        .extracting(it -> it.field())
        .containsExactly("dora_market_benchmarks[0]", "dora_market_benchmarks[2]");
    assertThat(dora().benchmarks(ofMetric().build())).isEmpty();
  }

  @Test
  void areRemoved() {
    String id = dora().upsertBenchmarks(List.of(benchmark(Tier.LOW, "1"))).getFirst().getId();

    dora().deleteBenchmark(id);

    assertThat(dora().benchmarks(ofMetric().build())).isEmpty();
    assertThat(catchThrowableOfType(NotFoundException.class, () -> dora().deleteBenchmark(id)))
        .isNotNull();
    assertThat(
            Told.by(() ->
                    DoraMarketBenchmarkServiceGrpc.newBlockingStub(rapport.channel())
                        .getDoraMarketBenchmark(
                            GetDoraMarketBenchmarkRequest.newBuilder().setId(id).build()))
                .reason())
        .isEqualTo("RESOURCE_NOT_FOUND");
  }

  @Test
  void saysWhatTheReportsSay() {
    DoraMetricInsight insight =
        DoraMetricInsight.newBuilder()
            .setReportYear(2024)
            .setMetricName(metric)
            .setInsightText("Small changes fail less.")
            .build();

    String id = dora().upsertInsights(List.of(insight)).getFirst().getId();
    Result again = dora().upsertInsights(List.of(insight)).getFirst().getResult();
    Result other =
        dora()
            .upsertInsights(List.of(insight.toBuilder().setInsightText("It depends.").build()))
            .getFirst()
            .getResult();

    assertThat(again).isEqualTo(Result.UNCHANGED);
    assertThat(other).isEqualTo(Result.UPDATED);
    ListDoraMetricInsightsRequest ofMetric =
        ListDoraMetricInsightsRequest.newBuilder().setMetricName(metric).build();
    assertThat(dora().insights(ofMetric))
        .extracting(DoraMetricInsight::getInsightText)
        .containsExactly("It depends.");
    dora().deleteInsight(id);
    assertThat(dora().insights(ofMetric)).isEmpty();
  }
}
