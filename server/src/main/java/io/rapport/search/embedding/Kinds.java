package io.rapport.search.embedding;

import io.grpc.Status.Code;
import io.rapport.platform.Caller;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.search.embedding.KindStore.Kind;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/** The kinds of entities that have texts, and where a caller's requests about them go. */
final class Kinds {
  private static final String OPERATOR = "operator";

  /** Owns what no tenant owns. */
  static final UUID NOBODY = new UUID(0, 0);

  private final TenantDb db;
  private final TenantDb systemDb;
  private final UnitOfWork work;
  private final UnitOfWork systemWork;
  private final DSLContext system;
  private volatile @Nullable Map<String, Kind> known;

  /**
   * What is a tenant's goes by the server's role, what is nobody's by the system's.
   *
   * @param system the database as the system role sees it
   */
  record Access(
      TenantDb db, TenantDb systemDb, UnitOfWork work, UnitOfWork systemWork, DSLContext system) {}

  /**
   * Whose entities of a kind a caller means.
   *
   * @param owner the tenant that has them
   */
  record Place(Kind kind, UUID owner, TenantDb db, UnitOfWork work) {
    String name() {
      return kind.name();
    }

    Puts.Texts texts() {
      return new Puts.Texts(owner, kind.name());
    }

    /** Reads in one round trip. */
    <T> T read(Function<DSLContext, T> query) {
      return db.read(Caller.currentTenant().id(), query);
    }
  }

  Kinds(Access access) {
    this.db = access.db();
    this.systemDb = access.systemDb();
    this.work = access.work();
    this.systemWork = access.systemWork();
    this.system = access.system();
  }

  /** All of them, by name; they change with the schema only. */
  Map<String, Kind> all() {
    Map<String, Kind> kinds = known;
    if (kinds == null) {
      kinds = new KindStore().load(system);
      known = kinds;
    }
    return kinds;
  }

  /** Reads of all kinds: of the caller's tenant and what everybody may read. */
  <T> T read(Function<DSLContext, T> query) {
    return db.read(Caller.currentTenant().id(), query);
  }

  /** Where the caller reads of a kind. */
  Place toRead(String kind) {
    return toRead(kind, "kind");
  }

  Place toRead(String name, String field) {
    Kind kind = all().get(name);
    if (kind == null) {
      throw ServiceException.invalid(
          field, ErrorReason.INVALID_FIELD, "is no kind of entity that has texts");
    }
    return kind.global()
        ? new Place(kind, NOBODY, systemDb, systemWork)
        : new Place(kind, Caller.currentTenant().id(), db, work);
  }

  /** Where the caller is told texts or vectors of a kind, if it may read its entities. */
  Place requireReadable(Place place) {
    String right = place.name().substring(0, place.name().indexOf('.')) + ".read";
    if (!Caller.current().may(right)) {
      throw ServiceException.of(
              Code.PERMISSION_DENIED,
              ErrorReason.RIGHT_MISSING,
              "texts and vectors of " + place.name() + " are for readers of it")
          .with("right", right);
    }
    return place;
  }

  /** Where the caller writes of a kind, if it may. */
  Place toWrite(String kind) {
    Place place = toRead(kind);
    if (place.kind().global() && !Caller.current().rights().contains(OPERATOR)) {
      throw ServiceException.of(
              Code.PERMISSION_DENIED,
              ErrorReason.RIGHT_MISSING,
              "what no tenant owns is embedded by operators")
          .with("right", OPERATOR);
    }
    return place;
  }
}
