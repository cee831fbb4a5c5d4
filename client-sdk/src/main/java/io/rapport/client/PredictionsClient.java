package io.rapport.client;

import io.rapport.monitoring.v1.BatchLogPredictionsRequest;
import io.rapport.monitoring.v1.BatchLogPredictionsResponse;
import io.rapport.monitoring.v1.GetLoggedPredictionRequest;
import io.rapport.monitoring.v1.GetPerformanceFiguresRequest;
import io.rapport.monitoring.v1.GetPerformanceFiguresResponse;
import io.rapport.monitoring.v1.ListLoggedPredictionsRequest;
import io.rapport.monitoring.v1.ListLoggedPredictionsResponse;
import io.rapport.monitoring.v1.LogPredictionRequest;
import io.rapport.monitoring.v1.LogPredictionResponse;
import io.rapport.monitoring.v1.LogResult;
import io.rapport.monitoring.v1.LoggedPrediction;
import io.rapport.monitoring.v1.LoggedPredictionFilter;
import io.rapport.monitoring.v1.OutcomeReport;
import io.rapport.monitoring.v1.OutcomeResult;
import io.rapport.monitoring.v1.PredictionLogServiceGrpc;
import io.rapport.monitoring.v1.RecordOutcomesRequest;
import io.rapport.monitoring.v1.RecordOutcomesResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Logs what models predict and what comes true of it, and tells how well they do. Every method may
 * throw a {@link RapportException}; every write is safe to repeat, because a prediction without an
 * id is given one before it is first sent.
 */
public final class PredictionsClient {
  private static final int PAGE = 500;
  private static final int MAX_REPORTS = 10_000;

  private final Calls calls;
  private final EventWriter.Opener opener;
  private final Rpc<GetLoggedPredictionRequest, LoggedPrediction> get;
  private final Rpc<ListLoggedPredictionsRequest, ListLoggedPredictionsResponse> list;
  private final Rpc<GetPerformanceFiguresRequest, GetPerformanceFiguresResponse> figures;
  private final Rpc<LogPredictionRequest, LogPredictionResponse> log;
  private final Rpc<BatchLogPredictionsRequest, BatchLogPredictionsResponse> batch;
  private final Rpc<RecordOutcomesRequest, RecordOutcomesResponse> outcomes;

  PredictionsClient(Calls calls, EventWriter.Opener opener) {
    this.calls = calls;
    this.opener = opener;
    this.get = calls.rpc(PredictionLogServiceGrpc.getGetLoggedPredictionMethod());
    this.list = calls.rpc(PredictionLogServiceGrpc.getListLoggedPredictionsMethod());
    this.figures = calls.rpc(PredictionLogServiceGrpc.getGetPerformanceFiguresMethod());
    this.log = calls.rpc(PredictionLogServiceGrpc.getLogPredictionMethod());
    this.batch = calls.batch(PredictionLogServiceGrpc.getBatchLogPredictionsMethod());
    this.outcomes = calls.batch(PredictionLogServiceGrpc.getRecordOutcomesMethod());
  }

  /**
   * Logs one prediction, and waits until it is.
   *
   * @return RECORDED or DUPLICATE, with the prediction's id
   * @throws AlreadyExistsException if another prediction is logged under its id
   * @throws InvalidArgumentException if it breaks a rule
   */
  public LogResult log(LoggedPrediction prediction) {
    return calls
        .call(log, LogPredictionRequest.newBuilder().setPrediction(identified(prediction)).build())
        .getResult();
  }

  /**
   * Logs predictions, each with its own result. A list of more than 10,000 predictions or 3.5 MiB
   * is sent in several calls, one after another; if one of them fails, those before it are logged.
   *
   * @return one result for each prediction, in the order given; {@code index} is the place in the
   *     list
   */
  public List<LogResult> batch(List<LoggedPrediction> predictions) {
    List<LogResult> results = new ArrayList<>(predictions.size());
    List<LoggedPrediction> all = predictions.stream().map(PredictionsClient::identified).toList();
    for (List<LoggedPrediction> part : Parts.of(all, Parts.MAX_EVENTS)) {
      BatchLogPredictionsRequest request =
          BatchLogPredictionsRequest.newBuilder().addAllPredictions(part).build();
      int first = results.size();
      for (LogResult result : calls.call(batch, request).getResultsList()) {
        results.add(result.toBuilder().setIndex(first + result.getIndex()).build());
      }
    }
    return results;
  }

  /** Opens a writer for many predictions, with the default options, that tells nobody of them. */
  public PredictionWriter writer() {
    return writer(IngestOptions.defaults(), (position, result) -> {});
  }

  /**
   * Opens a writer for many predictions. It connects when the first one is logged.
   *
   * @param options how it works; their listeners are of events, and not told
   * @param exceptions told of predictions that were not simply recorded
   */
  public PredictionWriter writer(IngestOptions options, LogResultListener exceptions) {
    return PredictionWriter.start(opener, options, exceptions);
  }

  /**
   * Records what came true, each report with its own result. More than 10,000 reports or 3.5 MiB
   * are sent in several calls, one after another; all may be sent again.
   *
   * @return one result for each report, in the order given; {@code index} is the place in the list.
   *     PENDING: its prediction is not logged yet, and gets the outcome when it is, within 30 days
   */
  public List<OutcomeResult> outcomes(List<OutcomeReport> reports) {
    List<OutcomeResult> results = new ArrayList<>(reports.size());
    for (List<OutcomeReport> part : Parts.of(reports, MAX_REPORTS)) {
      RecordOutcomesRequest request =
          RecordOutcomesRequest.newBuilder().addAllReports(part).build();
      int first = results.size();
      for (OutcomeResult result : calls.call(outcomes, request).getResultsList()) {
        results.add(result.toBuilder().setIndex(first + result.getIndex()).build());
      }
    }
    return results;
  }

  /** The prediction with this UUID, its JSON as Structs; empty if there is none. */
  public Optional<LoggedPrediction> get(String id) {
    try {
      return Optional.of(
          calls.call(get, GetLoggedPredictionRequest.newBuilder().setId(id).build()));
    } catch (NotFoundException absent) {
      return Optional.empty();
    }
  }

  /**
   * The predictions that match, latest first. Pages of 500 are fetched as the stream is read; a
   * terminal operation can therefore throw a {@link RapportException}.
   */
  public Stream<LoggedPrediction> list(LoggedPredictionFilter filter) {
    return list(
        ListLoggedPredictionsRequest.newBuilder().setFilter(filter).setPageSize(PAGE).build());
  }

  /** The predictions of a list, from the page that the request names to the last one. */
  public Stream<LoggedPrediction> list(ListLoggedPredictionsRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          ListLoggedPredictionsResponse page =
              calls.call(list, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getPredictionsList(), page.getNextPageToken());
        });
  }

  /** How well a model does, by version, segment and window. */
  public GetPerformanceFiguresResponse figures(GetPerformanceFiguresRequest request) {
    return calls.call(figures, request);
  }

  static LoggedPrediction identified(LoggedPrediction prediction) {
    return prediction.getId().isEmpty()
        ? prediction.toBuilder().setId(EventIds.next()).build()
        : prediction;
  }
}
