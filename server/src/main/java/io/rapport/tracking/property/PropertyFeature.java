package io.rapport.tracking.property;

import io.grpc.ServerServiceDefinition;
import io.rapport.platform.ChangeSubscriber;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.watch.InitialState;
import java.util.function.Predicate;
import org.jooq.DSLContext;

/** Builds what belongs to declared properties. */
public final class PropertyFeature implements AutoCloseable {
  private final PropertyStore properties = new PropertyStore();
  private final PropertyIndexer indexer;
  private final PropertyService service;

  /**
   * @param system the database as the system role sees it
   * @param isSensitive tells keys that events never have, because they name a secret
   */
  public PropertyFeature(
      TenantDb db, UnitOfWork work, DSLContext system, Predicate<String> isSensitive) {
    this.indexer = new PropertyIndexer(db, system, properties);
    this.service = new PropertyService(db, work, properties, indexer, isSensitive);
  }

  /** Begins to index what was left behind. */
  public void start() {
    indexer.start();
  }

  public PropertyStore properties() {
    return properties;
  }

  /** Indexes events as they are recorded. */
  public static ChangeSubscriber index() {
    return new PropertySubscriber();
  }

  /** The properties that are declared. */
  public static InitialState initialState() {
    return PropertyStore.initialState();
  }

  public ServerServiceDefinition service(Rpcs rpcs) {
    return service.bind(rpcs);
  }

  @Override
  public void close() {
    indexer.close();
  }
}
