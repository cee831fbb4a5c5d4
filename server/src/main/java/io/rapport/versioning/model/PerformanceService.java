package io.rapport.versioning.model;

import com.google.protobuf.Timestamp;
import com.google.protobuf.Value;
import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Caller;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Times;
import io.rapport.platform.Transaction;
import io.rapport.platform.resource.Resource;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.versioning.CallerWrites;
import io.rapport.versioning.Writing;
import io.rapport.versioning.model.PerformanceStore.Bucket;
import io.rapport.versioning.v1.GetPerformanceSeriesRequest;
import io.rapport.versioning.v1.GetPerformanceSeriesResponse;
import io.rapport.versioning.v1.GetPerformanceSeriesResponse.Point;
import io.rapport.versioning.v1.GetPerformanceSeriesResponse.Series;
import io.rapport.versioning.v1.ModelPerformance;
import io.rapport.versioning.v1.ModelPerformanceServiceGrpc;
import io.rapport.versioning.v1.RecordModelPerformanceRequest;
import io.rapport.versioning.v1.RecordModelPerformanceResponse;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/** The RPCs of how models do. */
final class PerformanceService {
  private static final int MAX_POINTS = 10_000;
  private static final int MAX_BYTES = 2 * 1024 * 1024;

  /** How far callers' clocks may be ahead. */
  private static final Duration MAX_AHEAD = Duration.ofMinutes(1);

  private static final Duration USUAL_SPAN = Duration.ofDays(30);
  private static final String USUAL_METRIC = "accuracy";

  private final TenantDb db;
  private final CallerWrites work;
  private final Resource<ModelPerformance> resource;
  private final Clock clock;
  private final PerformanceStore records = new PerformanceStore();
  private final VersionStore versions = new VersionStore();

  PerformanceService(
      TenantDb db, CallerWrites work, Resource<ModelPerformance> resource, Clock clock) {
    this.db = db;
    this.work = work;
    this.resource = resource;
    this.clock = clock;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return resource.serve(
        rpcs.service(ModelPerformanceServiceGrpc.getServiceDescriptor())
            .unary(ModelPerformanceServiceGrpc.getRecordModelPerformanceMethod(), this::record)
            .unary(ModelPerformanceServiceGrpc.getGetPerformanceSeriesMethod(), this::series));
  }

  private RecordModelPerformanceResponse record(RecordModelPerformanceRequest request) {
    Instant last = clock.instant().plus(MAX_AHEAD);
    for (int i = 0; i < request.getRecordsCount(); i++) {
      check(request.getRecords(i), last, "records[" + i + "].");
    }
    return work.write(request, RecordModelPerformanceResponse.parser(), tx -> record(tx, request));
  }

  private static void check(ModelPerformance record, Instant last, String path) {
    requireTime(record.getWindowStartAt(), path + "window_start_at");
    requireTime(record.getWindowEndAt(), path + "window_end_at");
    if (Times.instant(record.getWindowEndAt()).isAfter(last)) {
      throw invalid(path + "window_end_at", "is in the future");
    }
    if (record.hasWindowStartAt()
        && record.hasWindowEndAt()
        && Times.micros(record.getWindowStartAt()) > Times.micros(record.getWindowEndAt())) {
      throw invalid(path + "window_start_at", "is after window_end_at");
    }
    if (record.hasWindowStartAt() && !record.hasWindowEndAt()) {
      throw invalid(path + "window_end_at", "is required beside window_start_at");
    }
    record
        .getFeatureImportance()
        .getFieldsMap()
        .forEach((name, value) -> {
          if (value.getKindCase() != Value.KindCase.NUMBER_VALUE) {
            throw invalid(path + "feature_importance." + name, "is no number");
          }
        });
  }

  private static void requireTime(Timestamp time, String path) {
    if (!Times.isValid(time)) {
      throw invalid(path, "is no time");
    }
  }

  private static ServiceException invalid(String path, String description) {
    return ServiceException.invalid(path, ErrorReason.INVALID_FIELD, description);
  }

  private RecordModelPerformanceResponse record(
      Transaction tx, RecordModelPerformanceRequest request) {
    Writing write = Writing.of(tx);
    List<UUID> ids = records.insert(tx.dsl(), tx.tenant(), request.getRecordsList());
    ids.forEach(id -> write.changed(PerformanceStore.KIND, Op.CREATED, id, 1));
    versions
        .recordPerformance(tx.dsl(), tx.tenant(), ids)
        .forEach(it -> write.changed(VersionStore.KIND, Op.UPDATED, it.id(), it.revision()));
    return RecordModelPerformanceResponse.newBuilder()
        .addAllIds(ids.stream().map(UUID::toString).toList())
        .build();
  }

  private GetPerformanceSeriesResponse series(GetPerformanceSeriesRequest request) {
    UUID tenant = Caller.currentTenant().id();
    PerformanceStore.Question question = question(request);
    List<Bucket> points =
        db.read(tenant, dsl -> records.series(dsl, tenant, question, MAX_POINTS + 1));
    if (points.size() > MAX_POINTS) {
      throw invalid("window", "leads to more than 10,000 points: ask for larger windows");
    }
    GetPerformanceSeriesResponse.Builder answer = GetPerformanceSeriesResponse.newBuilder();
    for (Bucket point : points) {
      seriesOf(answer, point).addPoints(point(point));
    }
    GetPerformanceSeriesResponse built = answer.build();
    if (built.getSerializedSize() > MAX_BYTES) {
      throw invalid("segments", "lead to more than 2 MiB: ask for fewer");
    }
    return built;
  }

  private PerformanceStore.Question question(GetPerformanceSeriesRequest request) {
    requireTime(request.getFrom(), "from");
    requireTime(request.getTo(), "to");
    Instant to = request.hasTo() ? Times.instant(request.getTo()) : clock.instant();
    Instant from = request.hasFrom() ? Times.instant(request.getFrom()) : to.minus(USUAL_SPAN);
    if (from.isAfter(to)) {
      throw invalid("from", "is after to");
    }
    return new PerformanceStore.Question(
        request.getModelName(),
        request.getMetricName().isEmpty() ? USUAL_METRIC : request.getMetricName(),
        request.getVersionsList(),
        request.getSegmentsList(),
        from,
        to,
        switch (request.getWindow()) {
          case HOUR -> "hour";
          case WEEK -> "week";
          case DAY, WINDOW_UNSPECIFIED, UNRECOGNIZED -> "day";
        });
  }

  /** The points come series by series. */
  private static Series.Builder seriesOf(
      GetPerformanceSeriesResponse.Builder answer, Bucket point) {
    String version = point.version();
    String segment = point.segment();
    int last = answer.getSeriesCount() - 1;
    if (last >= 0
        && answer.getSeries(last).getVersion().equals(version)
        && answer.getSeries(last).getSegment().equals(segment)) {
      return answer.getSeriesBuilder(last);
    }
    return answer.addSeriesBuilder().setVersion(version).setSegment(segment);
  }

  private static Point point(Bucket bucket) {
    return Point.newBuilder()
        .setStartedAt(Times.proto(bucket.startedAt()))
        .setMean(bucket.mean())
        .setMin(bucket.min())
        .setMax(bucket.max())
        .setSampleCount(bucket.samples())
        .setRecordCount(bucket.records())
        .build();
  }
}
