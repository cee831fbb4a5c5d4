package io.rapport.identity;

import static io.rapport.db.generated.identity.Tables.TENANTS;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.grpc.Status.Code;
import io.rapport.identity.v1.Tenant;
import io.rapport.identity.v1.Tenant.ColorSchemaMode;
import io.rapport.platform.Caller;
import io.rapport.platform.Etags;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.TenantDirectory;
import io.rapport.platform.TenantSecret;
import io.rapport.platform.Times;
import io.rapport.platform.v1.ErrorReason;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.exception.IntegrityConstraintViolationException;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Tenants in PostgreSQL, as the system role. The only class that knows their table. */
final class TenantStore implements TenantDirectory {
  /** Stands for no tenant: they belong to none. */
  private static final UUID NOBODY = new UUID(0, 0);

  private static final String DEFAULT_LOGO = "default-logo.png";

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

  /** The tenant, which nobody else changes until the transaction ends. */
  Optional<Tenant> lock(DSLContext tx, UUID id) {
    tx.select(TENANTS.ID).from(TENANTS).where(TENANTS.ID.eq(id)).forNoKeyUpdate().execute();
    return find(tx, id);
  }

  /** Makes a tenant unless one with this id and name is there already. */
  Tenant insert(DSLContext tx, UUID id, Tenant tenant) {
    String name = tenant.getDisplayName();
    tx.insertInto(TENANTS)
        .set(columns(withDefaults(tenant)))
        .set(TENANTS.ID, id)
        .set(TENANTS.SECRET, TenantSecret.generate())
        .onConflictDoNothing()
        .execute();
    return find(tx, id)
        .filter(found -> found.getDisplayName().equals(name))
        .orElseThrow(() -> taken(name));
  }

  /** Changes a tenant to what is sent. */
  Tenant update(DSLContext tx, UUID id, Tenant tenant) {
    try {
      tx.update(TENANTS)
          .set(columns(tenant))
          .set(TENANTS.REVISION, TENANTS.REVISION.plus(1))
          .set(TENANTS.LAST_UPDATED_AT, DSL.currentInstant())
          .where(TENANTS.ID.eq(id))
          .execute();
    } catch (IntegrityConstraintViolationException e) {
      throw taken(tenant.getDisplayName());
    }
    return find(tx, id).orElseThrow();
  }

  /** What isn't said of a tenant is as for most. */
  static Tenant withDefaults(Tenant tenant) {
    Tenant.Builder whole = tenant.toBuilder().setActive(!tenant.hasActive() || tenant.getActive());
    if (tenant.getLogoFilename().isEmpty()) {
      whole.setLogoFilename(DEFAULT_LOGO);
    }
    if (tenant.getColorSchemaMode() == ColorSchemaMode.COLOR_SCHEMA_MODE_UNSPECIFIED) {
      whole.setColorSchemaMode(ColorSchemaMode.DEFAULT);
    }
    return whole.build();
  }

  private static Map<Field<?>, @Nullable Object> columns(Tenant tenant) {
    Map<Field<?>, @Nullable Object> columns = new LinkedHashMap<>();
    columns.put(TENANTS.DISPLAY_NAME, tenant.getDisplayName());
    columns.put(TENANTS.WEBSITE, orNull(tenant.getWebsite()));
    columns.put(TENANTS.ASSETS_FOLDER, orNull(tenant.getAssetsFolder()));
    columns.put(TENANTS.LOGO_FILENAME, tenant.getLogoFilename());
    columns.put(TENANTS.COLOR_SCHEMA_MODE, tenant.getColorSchemaMode().name());
    columns.put(TENANTS.ACTIVE, tenant.getActive());
    return columns;
  }

  private static @Nullable String orNull(String text) {
    return text.isEmpty() ? null : text;
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
    return dsl.select(
            TENANTS.ID,
            TENANTS.DISPLAY_NAME,
            TENANTS.WEBSITE,
            TENANTS.ASSETS_FOLDER,
            TENANTS.LOGO_FILENAME,
            TENANTS.COLOR_SCHEMA_MODE,
            TENANTS.ACTIVE,
            TENANTS.CREATED_AT,
            TENANTS.LAST_UPDATED_AT,
            TENANTS.REVISION)
        .from(TENANTS)
        .where(condition)
        .orderBy(TENANTS.DISPLAY_NAME)
        .limit(limit)
        .fetch(TenantStore::toProto);
  }

  private static Tenant toProto(Record row) {
    return Tenant.newBuilder()
        .setId(row.get(TENANTS.ID).toString())
        .setDisplayName(row.get(TENANTS.DISPLAY_NAME))
        .setWebsite(Objects.requireNonNullElse(row.get(TENANTS.WEBSITE), ""))
        .setAssetsFolder(Objects.requireNonNullElse(row.get(TENANTS.ASSETS_FOLDER), ""))
        .setLogoFilename(row.get(TENANTS.LOGO_FILENAME))
        .setColorSchemaMode(ColorSchemaMode.valueOf(row.get(TENANTS.COLOR_SCHEMA_MODE)))
        .setActive(row.get(TENANTS.ACTIVE))
        .setCreatedAt(Times.proto(row.get(TENANTS.CREATED_AT)))
        .setLastUpdatedAt(Times.proto(row.get(TENANTS.LAST_UPDATED_AT)))
        .setEtag(Etags.of(row.get(TENANTS.REVISION)))
        .build();
  }
}
