package io.rapport.monitoring.prediction;

import io.grpc.Status.Code;
import io.rapport.identity.UserStore;
import io.rapport.monitoring.prediction.Decision.Recorded;
import io.rapport.monitoring.prediction.KnownPrediction.Settled;
import io.rapport.monitoring.prediction.PredictionLogFeature.SentAnomalies;
import io.rapport.monitoring.prediction.PredictionLogFeature.SentAnomaly;
import io.rapport.monitoring.prediction.PredictionStore.Inserted;
import io.rapport.platform.Caller;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Uuids;
import io.rapport.platform.v1.ErrorReason;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jooq.DSLContext;

/**
 * Logs predictions, many in one commit: each id once, for ever; with the outcomes that came with or
 * before them, and the figures that follow.
 */
final class PredictionLog {
  private final TenantDb db;
  private final ChangeLog changes;
  private final UserStore users;
  private final SentAnomalies anomalies;
  private final PredictionStore store = new PredictionStore();
  private final OutcomeStore outcomes = new OutcomeStore();

  PredictionLog(TenantDb db, ChangeLog changes, UserStore users, SentAnomalies anomalies) {
    this.db = db;
    this.changes = changes;
    this.users = users;
    this.anomalies = anomalies;
  }

  /**
   * What was decided, in the order of the predictions.
   *
   * @param position the number of the commit; 0 if nothing was recorded
   */
  record Outcome(List<Decision> decisions, long position) {}

  /** Logs what can be logged, and decides each prediction. */
  Outcome record(Caller.Tenant tenant, List<IncomingPrediction> predictions) {
    UUID id = tenant.id();
    Set<UUID> found = new HashSet<>();
    Outcome outcome = db.transaction(id, connection -> record(connection, id, predictions, found));
    users.remember(id, Map.of(), found);
    if (outcome.position() > 0) {
      changes.committed(id);
    }
    return outcome;
  }

  /** What {@link #record} would decide; changes nothing. */
  List<Decision> judge(Caller.Tenant tenant, List<IncomingPrediction> predictions) {
    return db.read(
        tenant.id(),
        dsl -> {
          Set<UUID> missing = missingUsers(dsl, tenant.id(), predictions, new HashSet<>());
          Map<UUID, IncomingPrediction> first = first(predictions, missing);
          Map<UUID, Recorded> recorded = store.findRecorded(dsl, tenant.id(), first.keySet());
          List<Decision> decisions = decide(predictions, missing, first, recorded, 0);
          Set<UUID> fresh = new HashSet<>(first.keySet());
          fresh.removeAll(recorded.keySet());
          List<IncomingOutcome> waiting = outcomes.waitingFor(dsl, tenant.id(), fresh);
          settleOutcomes(
              predictions, waiting, decisions, all -> OutcomeStore.judge(predictions, all));
          return decisions;
        });
  }

  private Outcome record(
      Connection connection, UUID tenant, List<IncomingPrediction> predictions, Set<UUID> found)
      throws SQLException {
    DSLContext tx = TenantDb.dsl(connection);
    Set<UUID> missing = missingUsers(tx, tenant, predictions, found);
    Map<UUID, IncomingPrediction> first = first(predictions, missing);
    List<IncomingPrediction> ordered =
        first.values().stream()
            .sorted(Comparator.comparing(IncomingPrediction::id, Uuids.ORDER))
            .toList();
    if (ordered.isEmpty()) {
      return new Outcome(decide(predictions, missing, first, Map.of(), 0), 0);
    }
    Inserted inserted = store.insert(connection, tenant, ordered);
    Set<UUID> taken = new HashSet<>(first.keySet());
    taken.removeAll(inserted.ids());
    Map<UUID, Recorded> recorded = findTaken(tx, tenant, taken);
    List<Decision> decisions =
        decide(predictions, missing, first, recorded, inserted.recordedMicros());
    settleOutcomes(
        predictions, inserted.arrived(), decisions, all -> outcomes.settle(tx, tenant, all));
    List<IncomingPrediction> fresh =
        ordered.stream().filter(it -> inserted.ids().contains(it.id())).toList();
    return new Outcome(decisions, append(tx, tenant, fresh, inserted.recordedMicros()));
  }

  /** A commit of predictions is one change, which names the first; alerts are others. */
  private long append(
      DSLContext tx, UUID tenant, List<IncomingPrediction> fresh, long recordedMicros) {
    if (fresh.isEmpty()) {
      return 0;
    }
    List<Change> all = new ArrayList<>();
    all.add(new Change(PredictionStore.KIND, Op.CREATED, fresh.getFirst().id(), null, 1));
    Map<String, List<SentAnomaly>> sent =
        fresh.stream()
            .filter(IncomingPrediction::isSentAnomaly)
            .collect(
                Collectors.groupingBy(
                    IncomingPrediction::model,
                    TreeMap::new,
                    Collectors.mapping(it -> it.sentAnomaly(recordedMicros), Collectors.toList())));
    sent.forEach((model, found) -> {
      found.sort(Comparator.comparingDouble(SentAnomaly::score));
      all.add(anomalies.logged(tx, tenant, model, found));
    });
    return changes.append(tx, tenant, all);
  }

  private Set<UUID> missingUsers(
      DSLContext tx, UUID tenant, List<IncomingPrediction> predictions, Set<UUID> found) {
    Set<UUID> missing = new HashSet<>();
    for (IncomingPrediction prediction : predictions) {
      UUID user = prediction.user();
      if (user != null && !users.isKnown(tenant, user)) {
        missing.add(user);
      }
    }
    if (!missing.isEmpty()) {
      found.addAll(users.existing(tx, tenant, missing));
      missing.removeAll(found);
    }
    return missing;
  }

  private static boolean isRefused(IncomingPrediction prediction, Set<UUID> missing) {
    return prediction.user() != null && missing.contains(prediction.user());
  }

  /** The predictions that may be logged, each id once. */
  private static Map<UUID, IncomingPrediction> first(
      List<IncomingPrediction> predictions, Set<UUID> missing) {
    Map<UUID, IncomingPrediction> first = HashMap.newHashMap(predictions.size());
    for (IncomingPrediction prediction : predictions) {
      if (!isRefused(prediction, missing)) {
        first.putIfAbsent(prediction.id(), prediction);
      }
    }
    return first;
  }

  private Map<UUID, Recorded> findTaken(DSLContext tx, UUID tenant, Set<UUID> taken) {
    if (taken.isEmpty()) {
      return Map.of();
    }
    Map<UUID, Recorded> recorded = store.findReplicated(tx, tenant, taken);
    if (recorded.size() < taken.size()) {
      throw new IllegalStateException("an id is taken, but nothing is logged under it");
    }
    return recorded;
  }

  private static List<Decision> decide(
      List<IncomingPrediction> predictions,
      Set<UUID> missing,
      Map<UUID, IncomingPrediction> first,
      Map<UUID, Recorded> recorded,
      long micros) {
    List<Decision> decisions = new ArrayList<>(predictions.size());
    Set<UUID> seen = new HashSet<>();
    for (IncomingPrediction prediction : predictions) {
      IncomingPrediction leader = first.get(prediction.id());
      Recorded under = recorded.get(prediction.id());
      if (leader == null || isRefused(prediction, missing)) {
        decisions.add(Decision.refused(unknownUser(String.valueOf(prediction.user()))));
      } else if (under != null) {
        decisions.add(Decision.taken(prediction, under));
      } else if (seen.add(prediction.id())) {
        decisions.add(Decision.recorded(micros));
      } else {
        decisions.add(Decision.taken(prediction, new Recorded(micros, leader.digest())));
      }
    }
    return decisions;
  }

  private static ServiceException unknownUser(String user) {
    return ServiceException.of(
            Code.NOT_FOUND, ErrorReason.USER_NOT_FOUND, "there is no user with this user_id")
        .with("user_id", user);
  }

  /** Outcomes that came before their predictions, then those that came with them. */
  private static void settleOutcomes(
      List<IncomingPrediction> predictions,
      List<IncomingOutcome> waiting,
      List<Decision> decisions,
      Function<List<IncomingOutcome>, List<Settled>> settling) {
    List<IncomingOutcome> all = new ArrayList<>(waiting);
    Map<UUID, Integer> places = new HashMap<>();
    for (int i = 0; i < predictions.size(); i++) {
      if (decisions.get(i).isNew()) {
        places.put(predictions.get(i).id(), i);
        IncomingOutcome outcome = predictions.get(i).outcome();
        if (outcome != null) {
          all.add(outcome);
        }
      }
    }
    if (all.isEmpty()) {
      return;
    }
    List<Settled> settled = settling.apply(all);
    for (int i = 0; i < all.size(); i++) {
      ServiceException error = settled.get(i).error();
      Integer place = places.get(all.get(i).prediction());
      if (error != null && place != null) {
        decisions.set(place, decisions.get(place).withOutcomeError(error));
      }
    }
  }
}
