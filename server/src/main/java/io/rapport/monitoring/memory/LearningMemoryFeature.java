package io.rapport.monitoring.memory;

import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.watch.InitialState;

/** Builds what belongs to learning memories. */
public final class LearningMemoryFeature {
  private final LearningMemoryService service;

  /**
   * @param entriesPerTenant how many entries a tenant may have
   */
  public LearningMemoryFeature(
      TenantDb db, UnitOfWork work, int entriesPerTenant, SimilarTexts texts) {
    this.service = new LearningMemoryService(db, work, entriesPerTenant, texts);
  }

  /** Reads entries, for others. */
  public static EntryReader entries() {
    return new MemoryStore()::findAll;
  }

  /** The entries that are there. */
  public static InitialState initialState() {
    return MemoryStore.initialState();
  }

  public ServerServiceDefinition service(Rpcs rpcs) {
    return service.bind(rpcs);
  }
}
