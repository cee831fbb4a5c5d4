package io.rapport.versioning.training;

import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import io.rapport.platform.resource.Resource;
import io.rapport.platform.resource.Resources;
import io.rapport.platform.watch.InitialState;
import io.rapport.versioning.Writes;
import io.rapport.versioning.Writing;
import io.rapport.versioning.dataset.TrainingRequests;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.TrainingEvent;
import java.time.Clock;
import org.jooq.DSLContext;

/** Builds what belongs to trainings. */
public final class TrainingFeature implements AutoCloseable {
  private final TenantDb db;
  private final DSLContext system;
  private final Writes writes;
  private final TrainedDatasets datasets;
  private final Clock clock;
  private final TrainingWaits waits;
  private final TrainingReaper reaper;
  private final Trainings trainings = new Trainings();

  /**
   * @param system the database as the system role sees it
   * @param datasets hear how trainings end
   */
  public TrainingFeature(
      TenantDb db, DSLContext system, Writes writes, TrainedDatasets datasets, Clock clock) {
    this.db = db;
    this.system = system;
    this.writes = writes;
    this.datasets = datasets;
    this.clock = clock;
    this.waits = new TrainingWaits(system);
    this.reaper = new TrainingReaper(system, writes.service(), datasets);
  }

  /** The trainings that are there. */
  public static InitialState initialState() {
    return Resources.initialState(TrainingEvent.getDefaultInstance());
  }

  /** Asks for a training of each dataset that becomes ready. */
  public static TrainingRequests requests() {
    Trainings trainings = new Trainings();
    return (tx, dataset, changes) -> {
      Writing write = Writing.ofService(tx, dataset.tenant(), changes);
      trainings.ready(write, dataset.id(), dataset.type());
    };
  }

  /** Where others ask for trainings. */
  public Trainings trainings() {
    return trainings;
  }

  /** Begins to look for lost workers. */
  public void start() {
    waits.start();
    reaper.start();
  }

  /**
   * The service.
   *
   * @param models makes versions of what was trained
   */
  public ServerServiceDefinition service(Rpcs rpcs, TrainedModels models) {
    Resources resources = new Resources(db, writes.plain());
    Resource<TrainingEvent> events = resources.of(TrainingEvent.getDefaultInstance());
    Resource<ModelVersion> versions = resources.of(ModelVersion.getDefaultInstance());
    Claims claims = new Claims(writes.callers(), system, waits, events);
    TrainingEndings endings = new TrainingEndings(events, versions, models, datasets, clock);
    return new TrainingService(writes.callers(), events, claims, trainings, endings, models)
        .bind(rpcs);
  }

  @Override
  public void close() {
    waits.close();
    reaper.close();
  }
}
