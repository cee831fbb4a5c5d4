package io.rapport.tracking.contract;

import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import io.rapport.platform.UnitOfWork;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/** Builds what belongs to contracts. */
public final class ContractFeature implements AutoCloseable {
  private final Contracts contracts;
  private final ContractService service;

  /**
   * @param system the database as the system role sees it
   * @param isSensitive tells keys that events never have, because they name a secret
   * @param parse reads the data of a recorded event
   */
  public ContractFeature(
      TenantDb db,
      UnitOfWork work,
      DSLContext system,
      Predicate<String> isSensitive,
      Function<byte[], Map<String, @Nullable Object>> parse) {
    ContractStore store = new ContractStore();
    this.contracts = new Contracts(db, system, store);
    this.service =
        new ContractService(
            db, work, store, contracts, new HistoryCheck(db, store, parse), isSensitive);
  }

  /** Begins to look for what other servers change. */
  public void start() {
    contracts.start();
  }

  public Contracts contracts() {
    return contracts;
  }

  public ServerServiceDefinition service(Rpcs rpcs) {
    return service.bind(rpcs);
  }

  @Override
  public void close() {
    contracts.close();
  }
}
