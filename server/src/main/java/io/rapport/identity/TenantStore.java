package io.rapport.identity;

import static io.rapport.db.generated.identity.Tables.TENANTS;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.grpc.Status.Code;
import io.rapport.identity.v1.Tenant;
import io.rapport.platform.Caller;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.TenantDirectory;
import io.rapport.platform.TenantSecret;
import io.rapport.platform.Times;
import io.rapport.platform.v1.ErrorReason;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Record3;

/** Tenants in PostgreSQL, as the system role. The only class that knows their table. */
final class TenantStore implements TenantDirectory {
  /** Stands for no tenant: they belong to none. */
  private static final UUID NOBODY = new UUID(0, 0);

  private final TenantDb system;

  /** A tenant and its secret never change; see docs/caching.md. */
  private final Cache<UUID, Caller.Tenant> known =
      Caffeine.newBuilder().maximumSize(10_000).build();

  /**
   * @param system the database as the system role sees it
   */
  TenantStore(TenantDb system) {
    this.system = system;
  }

  @Override
  public Optional<Caller.Tenant> find(UUID id) {
    Caller.Tenant tenant = known.getIfPresent(id);
    if (tenant != null) {
      return Optional.of(tenant);
    }
    Optional<Caller.Tenant> found =
        system.read(
            NOBODY,
            dsl ->
                dsl.select(TENANTS.SECRET)
                    .from(TENANTS)
                    .where(TENANTS.ID.eq(id))
                    .fetchOptional(row -> new Caller.Tenant(id, new TenantSecret(row.value1()))));
    found.ifPresent(it -> known.put(id, it));
    return found;
  }

  Optional<Tenant> get(UUID id) {
    return system.read(NOBODY, dsl -> find(dsl, id));
  }

  /** Up to {@code limit} tenants by name, after the one with this name. */
  List<Tenant> list(String after, int limit) {
    return system.read(NOBODY, dsl -> select(dsl, TENANTS.DISPLAY_NAME.gt(after), limit));
  }

  private static Optional<Tenant> find(DSLContext dsl, UUID id) {
    return select(dsl, TENANTS.ID.eq(id), 1).stream().findFirst();
  }

  /** Makes a tenant unless one with this id and name is there already. */
  Tenant insert(DSLContext tx, UUID id, String displayName) {
    tx.insertInto(TENANTS)
        .columns(TENANTS.ID, TENANTS.DISPLAY_NAME, TENANTS.SECRET)
        .values(id, displayName, TenantSecret.generate())
        .onConflictDoNothing()
        .execute();
    return find(tx, id)
        .filter(tenant -> tenant.getDisplayName().equals(displayName))
        .orElseThrow(() -> taken(displayName));
  }

  private static ServiceException taken(String displayName) {
    return ServiceException.of(
            Code.ALREADY_EXISTS,
            ErrorReason.RESOURCE_EXISTS,
            "a tenant with this id or this name is there already")
        .with("kind", "tenant")
        .with("display_name", displayName);
  }

  private static List<Tenant> select(DSLContext dsl, Condition condition, int limit) {
    return dsl.select(TENANTS.ID, TENANTS.DISPLAY_NAME, TENANTS.CREATED_AT)
        .from(TENANTS)
        .where(condition)
        .orderBy(TENANTS.DISPLAY_NAME)
        .limit(limit)
        .fetch(TenantStore::toProto);
  }

  private static Tenant toProto(Record3<UUID, String, Instant> row) {
    return Tenant.newBuilder()
        .setId(row.value1().toString())
        .setDisplayName(row.value2())
        .setCreatedAt(Times.proto(row.value3()))
        .build();
  }
}
