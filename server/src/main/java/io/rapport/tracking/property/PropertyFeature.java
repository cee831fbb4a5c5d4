package io.rapport.tracking.property;

import io.grpc.ServerServiceDefinition;
import io.rapport.platform.ChangeSubscriber;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import java.util.function.Predicate;

/** Builds what belongs to declared properties. */
public final class PropertyFeature implements AutoCloseable {
  private final PropertyStore properties = new PropertyStore();
  private final PropertyIndexer indexer;
  private final PropertyService service;

  /**
   * @param isSensitive tells keys that events never have, because they name a secret
   */
  public PropertyFeature(TenantDb db, Predicate<String> isSensitive) {
    this.indexer = new PropertyIndexer(db, properties);
    this.service = new PropertyService(db, properties, indexer, isSensitive);
  }

  public PropertyStore properties() {
    return properties;
  }

  /** Indexes events as they are recorded. */
  public ChangeSubscriber index() {
    return new PropertySubscriber();
  }

  public ServerServiceDefinition service(Rpcs rpcs) {
    return service.bind(rpcs);
  }

  @Override
  public void close() {
    indexer.close();
  }
}
