package io.rapport.monitoring.prediction;

import io.rapport.monitoring.prediction.KnownPrediction.Settled;
import io.rapport.monitoring.v1.OutcomeReport;
import io.rapport.monitoring.v1.OutcomeResult;
import io.rapport.monitoring.v1.OutcomeResult.Result;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Transaction;
import io.rapport.platform.Uuids;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Records the outcomes of one message, and tells what became of each. */
final class OutcomeReports {
  private final OutcomeStore store = new OutcomeStore();

  /**
   * The reports that keep the rules, and why the others don't.
   *
   * @param ids of all, as they were sent
   * @param refusals by place
   */
  record Batch(
      List<IncomingOutcome> readable, List<String> ids, Map<Integer, ServiceException> refusals) {}

  static Batch read(List<OutcomeReport> sent) {
    OutcomeReader reader = new OutcomeReader();
    Batch batch = new Batch(new ArrayList<>(), new ArrayList<>(), new HashMap<>());
    for (int i = 0; i < sent.size(); i++) {
      String id = sent.get(i).getPredictionId();
      batch.ids().add(Uuids.parse(id) == null ? "" : id);
      try {
        batch.readable().add(reader.read(sent.get(i)));
      } catch (ServiceException e) {
        batch.refusals().put(i, e);
      }
    }
    return batch;
  }

  /** Records what can be; one change tells of all predictions whose outcome changed. */
  List<OutcomeResult> record(Transaction tx, Batch batch) {
    List<Settled> settled =
        batch.readable().isEmpty()
            ? List.of()
            : store.settleOrKeep(tx.dsl(), tx.tenant(), batch.readable());
    for (int i = 0; i < settled.size(); i++) {
      Result result = settled.get(i).result();
      if (result == Result.RECORDED || result == Result.CORRECTED) {
        UUID first = batch.readable().get(i).prediction();
        tx.changed(new Change(PredictionStore.KIND, Op.UPDATED, first, null, 1));
        break;
      }
    }
    return results(batch, settled);
  }

  private static List<OutcomeResult> results(Batch batch, List<Settled> settled) {
    List<OutcomeResult> results = new ArrayList<>(batch.ids().size());
    int next = 0;
    for (int i = 0; i < batch.ids().size(); i++) {
      ServiceException refusal = batch.refusals().get(i);
      Settled one = refusal == null ? settled.get(next++) : new Settled(Result.REFUSED, refusal);
      OutcomeResult.Builder told =
          OutcomeResult.newBuilder()
              .setIndex(i)
              .setPredictionId(batch.ids().get(i))
              .setResult(one.result());
      if (one.error() != null) {
        told.setError(one.error().toStatus());
      }
      results.add(told.build());
    }
    return results;
  }
}
