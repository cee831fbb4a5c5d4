package io.rapport.delivery;

import com.google.protobuf.Timestamp;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status.Code;
import io.rapport.delivery.v1.DoraServiceGrpc;
import io.rapport.delivery.v1.GetLeadTimeForecastRequest;
import io.rapport.delivery.v1.GetLeadTimeForecastRequest.Horizon;
import io.rapport.delivery.v1.GetLeadTimeRequest;
import io.rapport.delivery.v1.LeadTimeForecast;
import io.rapport.delivery.v1.LeadTimeReport;
import io.rapport.delivery.v1.LeadTimeWeek;
import io.rapport.delivery.v1.MarketComparison;
import io.rapport.platform.Caller;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Times;
import io.rapport.platform.v1.ErrorReason;
import java.time.Clock;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.time.temporal.TemporalAdjusters;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** The RPCs of lead times. */
final class DoraService {
  private static final Duration YEAR = Duration.ofDays(365);
  private static final Instant EARLIEST = Instant.EPOCH;
  private static final Duration LONGEST = Duration.ofDays(1830);

  private final TenantDb db;
  private final Clock clock;
  private final LeadTimeStore store = new LeadTimeStore();

  DoraService(TenantDb db, Clock clock) {
    this.db = db;
    this.clock = clock;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(DoraServiceGrpc.getServiceDescriptor())
        .unary(DoraServiceGrpc.getGetLeadTimeMethod(), this::getLeadTime)
        .unary(DoraServiceGrpc.getGetLeadTimeForecastMethod(), this::getLeadTimeForecast)
        .build();
  }

  private LeadTimeReport getLeadTime(GetLeadTimeRequest request) {
    LeadTimeStore.Time time =
        time(
            request.hasFrom() ? Optional.of(request.getFrom()) : Optional.empty(),
            request.hasTo() ? Optional.of(request.getTo()) : Optional.empty());
    UUID tenant = Caller.currentTenant().id();
    return db.read(
        tenant,
        dsl -> {
          TierBounds bounds =
              store
                  .bounds(dsl, request.getReportYear())
                  .orElseThrow(() ->
                      ServiceException.notFound(
                          "DORA report", String.valueOf(request.getReportYear())));
          List<Duration> longest =
              bounds.bounds().stream().map(it -> it.longest().orElse(Duration.ZERO)).toList();
          return report(store.find(dsl, tenant, request.getFilter(), time, longest), bounds);
        });
  }

  private LeadTimeStore.Time time(Optional<Timestamp> from, Optional<Timestamp> to) {
    Instant end = to.map(Times::instant).orElseGet(clock::instant);
    Instant start = from.map(Times::instant).orElseGet(() -> end.minus(YEAR));
    if (end.isBefore(EARLIEST)) {
      throw invalid("to", "must be in 1970 or later");
    }
    if (!start.isBefore(end)) {
      throw invalid("from", "must be before `to`");
    }
    if (start.isBefore(end.minus(LONGEST))) {
      throw invalid("from", "must be at most 1830 days before `to`");
    }
    return new LeadTimeStore.Time(start, end);
  }

  private static ServiceException invalid(String field, String description) {
    return ServiceException.invalid(field, ErrorReason.INVALID_FIELD, description);
  }

  private static LeadTimeReport report(LeadTimeStore.Found found, TierBounds bounds) {
    LeadTimeReport.Builder report =
        LeadTimeReport.newBuilder()
            .setFigures(found.all())
            .addAllWeeks(found.weeks())
            .setReportYear(bounds.year());
    long count = found.all().getCount();
    if (count > 0) {
      report.setTier(bounds.tierOf(found.all().getMedianSeconds()));
    }
    for (int i = 0; i < bounds.bounds().size(); i++) {
      TierBounds.Bound bound = bounds.bounds().get(i);
      MarketComparison.Builder comparison =
          MarketComparison.newBuilder().setTier(bound.tier()).setMetricValue(bound.value());
      if (bound.longest().isPresent()) {
        comparison.setMaxSeconds((double) bound.longest().get().toSeconds());
        comparison.setShare(share(found.withinBounds().get(i), count));
      } else {
        comparison.setShare(share(count, count));
      }
      report.addComparisons(comparison);
    }
    return report.build();
  }

  private static double share(long part, long count) {
    return count == 0 ? 0 : (double) part / (double) count;
  }

  private LeadTimeForecast getLeadTimeForecast(GetLeadTimeForecastRequest request) {
    LeadTimeStore.Time asked =
        time(
            request.hasFrom() ? Optional.of(request.getFrom()) : Optional.empty(),
            request.hasTo() ? Optional.of(request.getTo()) : Optional.empty());
    Instant over = monday(asked.to());
    UUID tenant = Caller.currentTenant().id();
    List<LeadTimeWeek> history =
        asked.from().isBefore(over)
            ? db.read(
                tenant,
                dsl ->
                    store
                        .find(
                            dsl,
                            tenant,
                            request.getFilter(),
                            new LeadTimeStore.Time(asked.from(), over),
                            List.of())
                        .weeks())
            : List.of();
    requireEnough(history.size());
    int weeks = request.getHorizon() == Horizon.TWENTY_FOUR_WEEKS ? 24 : 12;
    return new Forecasting(request.getMethod()).of(history, over.minus(Duration.ofDays(7)), weeks);
  }

  /** When the week began. */
  private static Instant monday(Instant time) {
    return time.atOffset(ZoneOffset.UTC)
        .with(TemporalAdjusters.previousOrSame(DayOfWeek.MONDAY))
        .truncatedTo(ChronoUnit.DAYS)
        .toInstant();
  }

  private static void requireEnough(int points) {
    if (points < Forecasting.FEWEST) {
      throw ServiceException.of(
              Code.FAILED_PRECONDITION,
              ErrorReason.TOO_FEW_POINTS,
              "a forecast needs at least 2 weeks with issues; widen the time or the filter")
          .with("points", Integer.toString(points))
          .with("needed", Integer.toString(Forecasting.FEWEST));
    }
  }
}
