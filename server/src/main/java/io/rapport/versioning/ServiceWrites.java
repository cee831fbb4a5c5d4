package io.rapport.versioning;

import io.rapport.platform.Change;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.TenantDb;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jooq.DSLContext;

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
    return write(tenant, (dsl, changes) -> {}, work);
  }

  /**
   * The same.
   *
   * @param before comes before the head is locked: what has rows that others lock before it
   */
  public <T> T write(
      UUID tenant, BiConsumer<DSLContext, Consumer<Change>> before, Function<Writing, T> work) {
    T result =
        db.write(
            tenant,
            dsl -> {
              List<Change> changes = new ArrayList<>();
              before.accept(dsl, changes::add);
              T done = work.apply(Writing.ofService(dsl, tenant, changes::add));
              log.append(dsl, tenant, changes);
              return done;
            });
    log.committed(tenant);
    return result;
  }
}
