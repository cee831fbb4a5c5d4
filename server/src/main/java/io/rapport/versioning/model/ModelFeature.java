package io.rapport.versioning.model;

import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import io.rapport.platform.resource.Resource;
import io.rapport.platform.resource.Resources;
import io.rapport.platform.watch.InitialState;
import io.rapport.versioning.CallerWrites;
import io.rapport.versioning.Writes;
import io.rapport.versioning.training.TrainedModels;
import io.rapport.versioning.training.Trainings;
import io.rapport.versioning.v1.ModelActivation;
import io.rapport.versioning.v1.ModelActivationServiceGrpc;
import io.rapport.versioning.v1.ModelPerformance;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.PromotionPolicy;
import io.rapport.versioning.v1.PromotionPolicyServiceGrpc;
import io.rapport.versioning.v1.TrainingEvent;
import java.time.Clock;
import java.util.List;
import org.jooq.DSLContext;

/** Builds what belongs to versions of models. */
public final class ModelFeature implements AutoCloseable {
  /** What versions need of other areas. */
  public record Others(
      OpenAlerts alerts, LivePerformance live, SupersededModels superseded, PoorVersions poor) {}

  private final TenantDb db;
  private final Writes writes;
  private final Trainings trainings;
  private final Others others;
  private final Clock clock;
  private final Registrations registrations = new Registrations();
  private final Activations activations;
  private final ModelKeeper keeper;

  /**
   * @param system the database as the system role sees it
   */
  public ModelFeature(
      TenantDb db,
      DSLContext system,
      Writes writes,
      Trainings trainings,
      Others others,
      Clock clock) {
    this.db = db;
    this.writes = writes;
    this.trainings = trainings;
    this.others = others;
    this.clock = clock;
    this.activations = new Activations(trainings, others.superseded());
    this.keeper =
        new ModelKeeper(
            system, new KeptVersions(db, writes.service(), activations, trainings, others));
  }

  /** The versions, activations, policies and records that are there. */
  public static List<InitialState> initialStates() {
    return List.of(
        Resources.initialState(ModelVersion.getDefaultInstance()),
        Resources.initialState(ModelActivation.getDefaultInstance()),
        Resources.initialState(PromotionPolicy.getDefaultInstance()),
        Resources.initialState(ModelPerformance.getDefaultInstance()));
  }

  /** Makes versions of what was trained. */
  public TrainedModels trainedModels() {
    return registrations;
  }

  /** Begins to look after active versions. */
  public void start() {
    keeper.start();
  }

  public List<ServerServiceDefinition> services(Rpcs rpcs) {
    Resources resources = new Resources(db, writes.plain());
    CallerWrites work = writes.callers();
    Resource<ModelVersion> versions = resources.of(ModelVersion.getDefaultInstance());
    Resource<ModelActivation> shown = resources.of(ModelActivation.getDefaultInstance());
    GateCheck check = new GateCheck(others.alerts());
    Promotions promotions = new Promotions(activations, check, versions, shown);
    TrafficSplits splits = new TrafficSplits(db, versions, check);
    return List.of(
        new ModelVersionService(db, work, versions, shown, registrations, promotions, splits)
            .bind(rpcs),
        resources.serve(rpcs, ModelActivationServiceGrpc.getServiceDescriptor()),
        resources.serve(rpcs, PromotionPolicyServiceGrpc.getServiceDescriptor()),
        new PerformanceService(db, work, resources.of(ModelPerformance.getDefaultInstance()), clock)
            .bind(rpcs),
        new LearningService(
                db, trainings, versions, resources.of(TrainingEvent.getDefaultInstance()))
            .bind(rpcs));
  }

  @Override
  public void close() {
    keeper.close();
  }
}
