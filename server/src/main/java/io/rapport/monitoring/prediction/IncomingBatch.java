package io.rapport.monitoring.prediction;

import io.rapport.monitoring.v1.LogResult;
import io.rapport.monitoring.v1.LoggedPrediction;
import io.rapport.platform.Caller;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Uuids;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The predictions of one message: those that keep the rules, and why the others don't. The message
 * itself is let go.
 */
final class IncomingBatch {
  private final List<IncomingPrediction> readable = new ArrayList<>();
  private final @Nullable Refusal[] refusals;

  /** Why the prediction with this id can't be read. */
  private record Refusal(String id, Decision decision) {}

  private IncomingBatch(int size) {
    this.refusals = new Refusal[size];
  }

  static IncomingBatch read(Caller.Tenant tenant, List<LoggedPrediction> sent) {
    IncomingBatch batch = new IncomingBatch(sent.size());
    PredictionReader reader = new PredictionReader(tenant);
    for (int i = 0; i < sent.size(); i++) {
      try {
        batch.readable.add(reader.read(sent.get(i)));
      } catch (ServiceException e) {
        String id = sent.get(i).getId();
        batch.refusals[i] = new Refusal(Uuids.parse(id) == null ? "" : id, Decision.refused(e));
      }
    }
    return batch;
  }

  /** The predictions that keep the rules, in the order sent. */
  List<IncomingPrediction> readable() {
    return readable;
  }

  /**
   * The results of what was sent, given the decisions on the readable ones.
   *
   * @param all also of those that were simply recorded
   */
  private List<LogResult> results(List<Decision> decisions, boolean all) {
    List<LogResult> results = new ArrayList<>();
    int next = 0;
    for (int i = 0; i < refusals.length; i++) {
      Refusal refusal = refusals[i];
      if (refusal != null) {
        results.add(refusal.decision().proto(refusal.id(), i));
        continue;
      }
      IncomingPrediction prediction = readable.get(next);
      Decision decision = decisions.get(next++);
      if (all || !decision.isNew() || decision.error() != null) {
        results.add(decision.proto(prediction.id().toString(), i));
      }
    }
    return results;
  }

  /** One result for each prediction that was sent. */
  List<LogResult> all(List<Decision> decisions) {
    return results(decisions, true);
  }

  /** The results that the answer of a stream names: those that need a word. */
  List<LogResult> remarkable(List<Decision> decisions) {
    return results(decisions, false);
  }
}
