package io.rapport.monitoring.prediction;

import com.google.protobuf.Timestamp;
import io.grpc.Context;
import io.grpc.ServerServiceDefinition;
import io.rapport.identity.UserStore;
import io.rapport.monitoring.v1.BatchLogPredictionsRequest;
import io.rapport.monitoring.v1.BatchLogPredictionsResponse;
import io.rapport.monitoring.v1.GetLoggedPredictionRequest;
import io.rapport.monitoring.v1.GetPerformanceFiguresRequest;
import io.rapport.monitoring.v1.GetPerformanceFiguresRequest.Window;
import io.rapport.monitoring.v1.GetPerformanceFiguresResponse;
import io.rapport.monitoring.v1.ListLoggedPredictionsRequest;
import io.rapport.monitoring.v1.ListLoggedPredictionsRequest.Order;
import io.rapport.monitoring.v1.ListLoggedPredictionsResponse;
import io.rapport.monitoring.v1.LogPredictionRequest;
import io.rapport.monitoring.v1.LogPredictionResponse;
import io.rapport.monitoring.v1.LogResult.Result;
import io.rapport.monitoring.v1.LoggedPrediction;
import io.rapport.monitoring.v1.LoggedPredictionFilter;
import io.rapport.monitoring.v1.PerformanceFigures;
import io.rapport.monitoring.v1.PredictionLogServiceGrpc;
import io.rapport.monitoring.v1.RecordOutcomesRequest;
import io.rapport.monitoring.v1.RecordOutcomesResponse;
import io.rapport.monitoring.v1.StreamPredictionsRequest;
import io.rapport.monitoring.v1.StreamPredictionsResponse;
import io.rapport.platform.Caller;
import io.rapport.platform.MappedReply;
import io.rapport.platform.PageTokens;
import io.rapport.platform.Reply;
import io.rapport.platform.RowPage;
import io.rapport.platform.Rpcs;
import io.rapport.platform.Rules;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.v1.ErrorReason;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The RPCs of the prediction log. */
final class PredictionLogService {
  /** How many messages of one stream are being logged at a time. */
  private static final int STREAM_WINDOW = 8;

  private static final int MAX_FIGURES = 1000;

  private final TenantDb db;
  private final UnitOfWork work;
  private final UserStore users;
  private final PredictionLog log;
  private final PredictionRecorder recorder;
  private final OutcomeReports reports = new OutcomeReports();
  private final LoggedStore logged = new LoggedStore();
  private final PerformanceStore performance = new PerformanceStore();

  PredictionLogService(
      TenantDb db,
      UnitOfWork work,
      UserStore users,
      PredictionLog log,
      PredictionRecorder recorder) {
    this.db = db;
    this.work = work;
    this.users = users;
    this.log = log;
    this.recorder = recorder;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(PredictionLogServiceGrpc.getServiceDescriptor())
        .unary(PredictionLogServiceGrpc.getGetLoggedPredictionMethod(), this::getLoggedPrediction)
        .unary(
            PredictionLogServiceGrpc.getListLoggedPredictionsMethod(), this::listLoggedPredictions)
        .unary(
            PredictionLogServiceGrpc.getGetPerformanceFiguresMethod(), this::getPerformanceFigures)
        .immediate(PredictionLogServiceGrpc.getLogPredictionMethod(), this::logPrediction)
        .bulk(PredictionLogServiceGrpc.getBatchLogPredictionsMethod(), this::batchLogPredictions)
        .pipelined(
            PredictionLogServiceGrpc.getStreamPredictionsMethod(),
            STREAM_WINDOW,
            this::streamPredictions)
        .bulk(
            PredictionLogServiceGrpc.getRecordOutcomesMethod(),
            (request, reply) -> reply.send(recordOutcomes(request)))
        .build();
  }

  private LoggedPrediction getLoggedPrediction(GetLoggedPredictionRequest request) {
    UUID tenant = Caller.currentTenant().id();
    return db.read(tenant, dsl -> logged.find(dsl, tenant, UUID.fromString(request.getId())))
        .map(presenter(request.getDataAsJson()))
        .orElseThrow(() -> ServiceException.notFound("prediction", request.getId()));
  }

  private static UnaryOperator<LoggedPrediction> presenter(boolean asJson) {
    return asJson ? UnaryOperator.identity() : Presented::asStructs;
  }

  private ListLoggedPredictionsResponse listLoggedPredictions(
      ListLoggedPredictionsRequest request) {
    Rules.requireTimes(request);
    Caller.Tenant tenant = Caller.currentTenant();
    LoggedPredictionFilter filter = request.getFilter();
    if (filter.getModelName().isEmpty() && !filter.getModelVersion().isEmpty()) {
      throw ServiceException.invalid(
          "filter.model_version", ErrorReason.INVALID_FIELD, "needs model_name");
    }
    ListLoggedPredictionsRequest arguments =
        request.toBuilder().clearPageSize().clearPageToken().clearDataAsJson().build();
    TimePlace after =
        PageTokens.decode(tenant, arguments, request.getPageToken())
            .map(TimePlace::ofCursor)
            .orElse(null);
    LoggedStore.Listing listing =
        new LoggedStore.Listing(
            filter,
            people(tenant.id(), filter),
            request.getOrder() != Order.OLDEST_FIRST,
            after,
            PageTokens.size(request.getPageSize()),
            presenter(request.getDataAsJson()));

    RowPage<LoggedPrediction> page =
        db.write(tenant.id(), tx -> logged.list(tx, tenant.id(), listing));

    ListLoggedPredictionsResponse.Builder response =
        ListLoggedPredictionsResponse.newBuilder().addAllPredictions(page.rows());
    if (page.more()) {
      LoggedPrediction last = page.rows().getLast();
      TimePlace place =
          new TimePlace(Times.instant(last.getPredictedAt()), UUID.fromString(last.getId()));
      response.setNextPageToken(PageTokens.encode(tenant, arguments, place.toCursor()));
    }
    return response.build();
  }

  private @Nullable Collection<UUID> people(UUID tenant, LoggedPredictionFilter filter) {
    if (filter.getUserId().isEmpty()) {
      return null;
    }
    UUID user = UUID.fromString(filter.getUserId());
    return db.read(tenant, dsl -> users.person(dsl, tenant, user));
  }

  private GetPerformanceFiguresResponse getPerformanceFigures(
      GetPerformanceFiguresRequest request) {
    Rules.requireTimes(request);
    UUID tenant = Caller.currentTenant().id();
    PerformanceStore.Question question =
        new PerformanceStore.Question(
            request.getModelName(),
            request.getModelVersionsList(),
            request.getSegmentsList(),
            request.hasFrom() ? hour(request.getFrom()) : null,
            request.hasTo() ? hour(request.getTo()) : null,
            request.getWindow() == Window.WINDOW_UNSPECIFIED
                ? Window.ALL.name()
                : request.getWindow().name(),
            request.getAllVersions(),
            request.getAllSegments());
    List<PerformanceFigures> figures =
        db.read(tenant, dsl -> performance.list(dsl, tenant, question, MAX_FIGURES + 1));
    return GetPerformanceFiguresResponse.newBuilder()
        .addAllFigures(figures.stream().limit(MAX_FIGURES).toList())
        .setTruncated(figures.size() > MAX_FIGURES)
        .build();
  }

  private static Instant hour(Timestamp time) {
    return Times.instant(time).truncatedTo(ChronoUnit.HOURS);
  }

  private void logPrediction(LogPredictionRequest request, Reply<LogPredictionResponse> reply) {
    if (!request.hasPrediction()) {
      throw ServiceException.invalid("prediction", ErrorReason.INVALID_FIELD, "value is required");
    }
    Caller.Tenant tenant = Caller.currentTenant();
    IncomingPrediction prediction = read(tenant, request.getPrediction());
    Reply<List<Decision>> decided =
        new MappedReply<>(reply, decisions -> answer(prediction, decisions.getFirst()));
    if (request.getValidateOnly()) {
      apart(decided, () -> decided.send(log.judge(tenant, List.of(prediction))));
    } else {
      recorder.submit(tenant, List.of(prediction), decided);
    }
  }

  private static IncomingPrediction read(Caller.Tenant tenant, LoggedPrediction prediction) {
    try {
      return new PredictionReader(tenant).read(prediction);
    } catch (ServiceException e) {
      throw e.inside("prediction");
    }
  }

  private static LogPredictionResponse answer(IncomingPrediction prediction, Decision decision) {
    boolean kept = decision.result() == Result.RECORDED || decision.result() == Result.DUPLICATE;
    if (!kept && decision.error() != null) {
      throw decision.error().inside("prediction");
    }
    return LogPredictionResponse.newBuilder()
        .setResult(decision.proto(prediction.id().toString(), 0))
        .build();
  }

  /** Does what asks the database, which blocks, and so not on the event loop. */
  private static void apart(Reply<?> reply, Runnable work) {
    Runnable guarded =
        () -> {
          try {
            work.run();
          } catch (RuntimeException | Error e) {
            reply.fail(e);
          }
        };
    Thread.startVirtualThread(Context.current().wrap(guarded));
  }

  private void batchLogPredictions(
      BatchLogPredictionsRequest request, Reply<BatchLogPredictionsResponse> reply) {
    Caller.Tenant tenant = Caller.currentTenant();
    IncomingBatch batch = IncomingBatch.read(tenant, request.getPredictionsList());
    Reply<List<Decision>> decided =
        new MappedReply<>(
            reply,
            decisions ->
                BatchLogPredictionsResponse.newBuilder()
                    .addAllResults(batch.all(decisions))
                    .build());
    if (request.getValidateOnly()) {
      decided.send(log.judge(tenant, batch.readable()));
    } else {
      recorder.submit(tenant, batch.readable(), decided);
    }
  }

  private void streamPredictions(
      StreamPredictionsRequest request, Reply<StreamPredictionsResponse> reply) {
    Caller.Tenant tenant = Caller.currentTenant();
    IncomingBatch batch = IncomingBatch.read(tenant, request.getPredictionsList());
    long sequence = request.getSequence(); // the predictions wait, the request need not
    recorder.submit(
        tenant,
        batch.readable(),
        new MappedReply<>(reply, decisions -> answer(sequence, batch, decisions)));
  }

  private static StreamPredictionsResponse answer(
      long sequence, IncomingBatch batch, List<Decision> decisions) {
    StreamPredictionsResponse.Builder response =
        StreamPredictionsResponse.newBuilder()
            .setSequence(sequence)
            .addAllResults(batch.remarkable(decisions));
    int recorded = 0;
    for (Decision decision : decisions) {
      if (decision.isNew()) {
        recorded++;
        response.setRecordedAt(Times.proto(decision.recordedMicros()));
      }
    }
    return response.setRecorded(recorded).build();
  }

  private RecordOutcomesResponse recordOutcomes(RecordOutcomesRequest request) {
    OutcomeReports.Batch batch = OutcomeReports.read(request.getReportsList());
    return work.write(
        request,
        RecordOutcomesResponse.parser(),
        tx -> RecordOutcomesResponse.newBuilder().addAllResults(reports.record(tx, batch)).build());
  }
}
