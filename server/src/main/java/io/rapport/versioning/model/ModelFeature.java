package io.rapport.versioning.model;

import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.resource.Resource;
import io.rapport.platform.resource.Resources;
import io.rapport.platform.watch.InitialState;
import io.rapport.versioning.CallerWrites;
import io.rapport.versioning.ServiceWrites;
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
  public record Others(OpenAlerts alerts, LivePerformance live, SupersededModels superseded) {}

  private final TenantDb db;
  private final Trainings trainings;
  private final Others others;
  private final Clock clock;
  private final Registrations registrations = new Registrations();
  private final Activations activations;
  private final ModelKeeper keeper;

  /**
   * @param system the database as the system role sees it
   * @param writes does what nobody asked for
   */
  public ModelFeature(
      TenantDb db,
      DSLContext system,
      ServiceWrites writes,
      Trainings trainings,
      Others others,
      Clock clock) {
    this.db = db;
    this.trainings = trainings;
    this.others = others;
    this.clock = clock;
    this.activations = new Activations(trainings, others.superseded());
    this.keeper = new ModelKeeper(db, system, writes, activations, trainings, others.live());
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

  /** The services, whose writes are done by {@code work}. */
  public List<ServerServiceDefinition> services(Rpcs rpcs, UnitOfWork work) {
    Resources resources = new Resources(db, work);
    CallerWrites writes = new CallerWrites(work);
    Resource<ModelVersion> versions = resources.of(ModelVersion.getDefaultInstance());
    Resource<ModelActivation> shown = resources.of(ModelActivation.getDefaultInstance());
    Promotions promotions = new Promotions(activations, others.alerts(), versions, shown);
    return List.of(
        new ModelVersionService(db, writes, versions, shown, registrations, promotions).bind(rpcs),
        resources.serve(rpcs, ModelActivationServiceGrpc.getServiceDescriptor()),
        resources.serve(rpcs, PromotionPolicyServiceGrpc.getServiceDescriptor()),
        new PerformanceService(
                db, writes, resources.of(ModelPerformance.getDefaultInstance()), clock)
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
