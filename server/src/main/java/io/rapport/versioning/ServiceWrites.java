package io.rapport.versioning;

import io.rapport.platform.Change;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.TenantDb;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;

/** Writes that nobody asked for, each in one transaction, numbered and logged as all others. */
public final class ServiceWrites {
  private final TenantDb db;
  private final ChangeLog log;

  public ServiceWrites(TenantDb db, ChangeLog log) {
    this.db = db;
    this.log = log;
  }

  /** Runs work that holds the tenant's head. */
  public <T> T write(UUID tenant, Function<Writing, T> work) {
    T result =
        db.write(
            tenant,
            dsl -> {
              List<Change> changes = new ArrayList<>();
              T done = work.apply(Writing.ofService(dsl, tenant, changes::add));
              log.append(dsl, tenant, changes);
              return done;
            });
    log.committed(tenant);
    return result;
  }
}
