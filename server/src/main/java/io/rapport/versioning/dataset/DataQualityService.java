package io.rapport.versioning.dataset;

import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Caller;
import io.rapport.platform.PageTokens;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.versioning.v1.DataQualityMetrics;
import io.rapport.versioning.v1.DataQualityServiceGrpc;
import io.rapport.versioning.v1.DatasetDrift;
import io.rapport.versioning.v1.GetDataQualityMetricsRequest;
import io.rapport.versioning.v1.GetDriftRequest;
import io.rapport.versioning.v1.GetQualityTrendRequest;
import io.rapport.versioning.v1.ListDataQualityMetricsRequest;
import io.rapport.versioning.v1.ListDataQualityMetricsResponse;
import io.rapport.versioning.v1.QualityTrend;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;

/** The RPCs of data quality. */
final class DataQualityService {
  private static final int TREND = 30;
  private static final String ASSESSMENT = "data quality metrics";

  private final TenantDb db;
  private final DatasetStore datasets;
  private final QualityStore quality;

  DataQualityService(TenantDb db, DatasetStore datasets, QualityStore quality) {
    this.db = db;
    this.datasets = datasets;
    this.quality = quality;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(DataQualityServiceGrpc.getServiceDescriptor())
        .unary(DataQualityServiceGrpc.getGetDataQualityMetricsMethod(), this::get)
        .unary(DataQualityServiceGrpc.getListDataQualityMetricsMethod(), this::list)
        .unary(DataQualityServiceGrpc.getGetQualityTrendMethod(), this::trend)
        .unary(DataQualityServiceGrpc.getGetDriftMethod(), this::drift)
        .build();
  }

  private DataQualityMetrics get(GetDataQualityMetricsRequest request) {
    UUID tenant = Caller.currentTenant().id();
    return db.read(tenant, dsl -> require(dsl, tenant, request.getId()));
  }

  private DataQualityMetrics require(DSLContext dsl, UUID tenant, String id) {
    return quality
        .find(dsl, tenant, UUID.fromString(id))
        .orElseThrow(() -> ServiceException.notFound(ASSESSMENT, id));
  }

  private ListDataQualityMetricsResponse list(ListDataQualityMetricsRequest request) {
    Caller.Tenant caller = Caller.currentTenant();
    ListDataQualityMetricsRequest arguments =
        request.toBuilder().clearPageSize().clearPageToken().build();
    int size = PageTokens.size(request.getPageSize());
    QualityStore.Listing listing =
        new QualityStore.Listing(
            UUID.fromString(request.getTrainingDatasetId()),
            request.hasFrom() ? Times.instant(request.getFrom()) : null,
            request.hasTo() ? Times.instant(request.getTo()) : null,
            PageTokens.decode(caller, arguments, request.getPageToken())
                .map(TimePlace::ofCursor)
                .orElse(null),
            size + 1);
    List<DataQualityMetrics> found = find(caller.id(), listing);
    ListDataQualityMetricsResponse.Builder page =
        ListDataQualityMetricsResponse.newBuilder()
            .addAllMetrics(found.subList(0, Math.min(size, found.size())));
    if (found.size() > size) {
      DataQualityMetrics last = found.get(size - 1);
      TimePlace place =
          new TimePlace(Times.instant(last.getAssessedAt()), UUID.fromString(last.getId()));
      page.setNextPageToken(PageTokens.encode(caller, arguments, place.toCursor()));
    }
    return page.build();
  }

  private List<DataQualityMetrics> find(UUID tenant, QualityStore.Listing listing) {
    return db.read(
        tenant,
        dsl -> {
          datasets.require(dsl, tenant, listing.dataset());
          return quality.list(dsl, tenant, listing);
        });
  }

  private QualityTrend trend(GetQualityTrendRequest request) {
    UUID tenant = Caller.currentTenant().id();
    UUID dataset = UUID.fromString(request.getTrainingDatasetId());
    int most = request.getMaxPoints() == 0 ? TREND : request.getMaxPoints();
    List<DataQualityMetrics> points =
        find(tenant, new QualityStore.Listing(dataset, null, null, null, most)).reversed();
    Trend trend =
        Trend.of(points.stream().mapToDouble(DataQualityMetrics::getOverallScore).toArray());
    return QualityTrend.newBuilder()
        .addAllPoints(points)
        .setSlope(trend.slope())
        .setDirection(trend.direction())
        .build();
  }

  private DatasetDrift drift(GetDriftRequest request) {
    UUID tenant = Caller.currentTenant().id();
    UUID dataset = UUID.fromString(request.getTrainingDatasetId());
    return db.read(
        tenant,
        dsl -> {
          datasets.require(dsl, tenant, dataset);
          DataQualityMetrics baseline =
              request.getBaselineId().isEmpty()
                  ? some(quality.first(dsl, tenant, dataset))
                  : require(dsl, tenant, request.getBaselineId());
          DataQualityMetrics current =
              request.getCurrentId().isEmpty()
                  ? some(quality.last(dsl, tenant, dataset))
                  : require(dsl, tenant, request.getCurrentId());
          requireOf(baseline, request, "baseline_id");
          requireOf(current, request, "current_id");
          return Drift.between(baseline, current);
        });
  }

  private static DataQualityMetrics some(Optional<DataQualityMetrics> found) {
    return found.orElseThrow(() -> ServiceException.notFound(ASSESSMENT));
  }

  private static void requireOf(DataQualityMetrics metrics, GetDriftRequest request, String field) {
    if (!metrics.getTrainingDatasetId().equals(request.getTrainingDatasetId())) {
      throw ServiceException.invalid(
          field, ErrorReason.INVALID_FIELD, "is an assessment of another dataset");
    }
  }
}
