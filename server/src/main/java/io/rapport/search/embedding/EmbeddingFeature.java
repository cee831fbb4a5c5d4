package io.rapport.search.embedding;

import io.grpc.ServerServiceDefinition;
import io.micrometer.core.instrument.MeterRegistry;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.watch.InitialState;
import io.rapport.search.Embedders;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;

/** Builds what belongs to vectors of texts. */
public final class EmbeddingFeature implements AutoCloseable {
  private final Kinds kinds;
  private final Embedders embedders;
  private final ModelKeeper keeper;
  private final BackgroundEmbedder background;
  private final FirstModels firstModels;
  private final boolean embedsStale;

  /**
   * Where it works.
   *
   * @param systemDb with the connections of the system's role
   * @param systemWork writes of callers as the system's role
   * @param system the database as the system role sees it
   */
  public record Databases(
      TenantDb db, UnitOfWork work, TenantDb systemDb, UnitOfWork systemWork, DSLContext system) {}

  /**
   * What it does by itself.
   *
   * @param embedsStale whether it embeds what is stale
   * @param workers how many batches of texts at once
   * @param textsPerSecond how many texts; 0: as many as it can
   */
  public record Settings(boolean embedsStale, int workers, int textsPerSecond) {}

  public EmbeddingFeature(
      Databases databases,
      ChangeLog changes,
      Embedders embedders,
      Settings settings,
      MeterRegistry metrics) {
    this.kinds =
        new Kinds(
            new Kinds.Access(
                databases.db(),
                databases.systemDb(),
                databases.work(),
                databases.systemWork(),
                databases.system()));
    this.embedders = embedders;
    this.embedsStale = settings.embedsStale() && !embedders.all().isEmpty();
    this.keeper = new ModelKeeper(databases.system());
    this.background =
        new BackgroundEmbedder(
            databases.db(),
            databases.system(),
            embedders,
            new BackgroundEmbedder.Limits(settings.workers(), settings.textsPerSecond()),
            metrics);
    this.firstModels = new FirstModels(databases.db(), changes, kinds, embedders);
  }

  /** The models that are there. */
  public static InitialState initialState() {
    return ModelStore.initialState();
  }

  public List<ServerServiceDefinition> services(Rpcs rpcs) {
    return List.of(
        new EmbeddingService(kinds).bind(rpcs), new ModelService(kinds, embedders).bind(rpcs));
  }

  /** Begins what it does by itself. */
  public void start() {
    keeper.start();
    if (embedsStale) {
      background.start();
    }
  }

  /** Has what a tenant has be found by the first embedder's vectors, unless it has a model. */
  public void startFirstModels(UUID tenant) {
    if (embedsStale) {
      firstModels.start(tenant, embedders.all().getFirst());
    }
  }

  @Override
  public void close() {
    background.close();
    keeper.close();
  }
}
