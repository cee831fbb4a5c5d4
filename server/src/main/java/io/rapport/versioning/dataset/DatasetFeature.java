package io.rapport.versioning.dataset;

import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.CommitListener;
import io.rapport.platform.NumberSubscriber;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.watch.InitialState;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/** Builds what belongs to training datasets and the quality of their events. */
public final class DatasetFeature implements AutoCloseable {
  private final DatasetStore datasets = new DatasetStore();
  private final CountStore counts = new CountStore();
  private final QualityStore quality = new QualityStore();
  private final Databases databases;
  private final Assessments assessments;
  private final DatasetWorker worker;

  /**
   * The database as this area uses it.
   *
   * @param patient allows statements that take minutes
   * @param system the database as the system role sees it
   */
  public record Databases(TenantDb ordinary, TenantDb patient, DSLContext system) {}

  /**
   * @param trainings is asked for a training when a dataset becomes ready
   */
  public DatasetFeature(Databases databases, TrainingRequests trainings) {
    this.databases = databases;
    this.assessments = new Assessments(datasets, counts, quality, trainings);
    this.worker =
        new DatasetWorker(databases.patient(), databases.system(), datasets, counts, assessments);
  }

  /** Counts events as they are recorded. */
  public static NumberSubscriber counting() {
    return new CountSubscriber();
  }

  /** Whether a change of this kind may change a dataset, or what it holds. */
  public static boolean isChangedBy(String kind) {
    return ChangedStore.concerns(kind);
  }

  /**
   * An expression of SQL, for a {@link NumberSubscriber}: the types of the datasets that a commit
   * changes, or to which it may add events.
   */
  public static String changed() {
    return ChangedStore.names();
  }

  /** The datasets and assessments that are there. */
  public static List<InitialState> initialStates() {
    return List.of(DatasetStore.initialState(), QualityStore.initialState());
  }

  /** Wants to hear of commits. */
  public CommitListener listener() {
    return worker;
  }

  /** Begins to assess what is due, which {@code changes} logs. */
  public void start(ChangeLog changes) {
    worker.start(changes);
  }

  /** The services, whose writes {@code changes} logs. */
  public List<ServerServiceDefinition> services(Rpcs rpcs, ChangeLog changes) {
    return List.of(
        new TrainingDatasetService(
                databases.ordinary(),
                new UnitOfWork(databases.patient(), changes),
                datasets,
                counts,
                assessments,
                new Manifests(databases.ordinary(), datasets))
            .bind(rpcs),
        new DataQualityService(databases.ordinary(), datasets, quality).bind(rpcs));
  }

  /**
   * A training of a dataset is completed, in this transaction: what it had no longer counts, and
   * what came since does. It locks the tenant's head: rows that others lock before it must be
   * locked by then.
   *
   * @param manifest what the training had; null: it isn't known, so all that is there is taken as
   *     had
   * @param changes takes what is changed, which is logged with the rest of the commit
   */
  public void trained(
      DSLContext tx,
      UUID tenant,
      UUID dataset,
      @Nullable UUID manifest,
      Instant at,
      Consumer<Change> changes) {
    datasets.lockHead(tx, tenant);
    if (!counts.trained(tx, tenant, dataset, manifest, at)) {
      throw ServiceException.notFound("training dataset", dataset.toString());
    }
    counts.checkThreshold(tx, tenant, dataset);
    long revision = datasets.require(tx, tenant, dataset).revision();
    changes.accept(new Change(DatasetStore.KIND, Op.UPDATED, dataset, null, revision));
  }

  /**
   * A training of a dataset failed or was called off, in this transaction: if it was ready, another
   * is asked for when it has more and is found to be good again.
   *
   * @param changes takes what is changed, which is logged with the rest of the commit
   */
  public void notTrained(DSLContext tx, UUID tenant, UUID dataset, Consumer<Change> changes) {
    datasets.lockHead(tx, tenant);
    counts
        .notTrained(tx, tenant, dataset)
        .ifPresent(revision ->
            changes.accept(new Change(DatasetStore.KIND, Op.UPDATED, dataset, null, revision)));
  }

  @Override
  public void close() {
    worker.close();
  }
}
