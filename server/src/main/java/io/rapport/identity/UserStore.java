package io.rapport.identity;

import static io.rapport.db.generated.identity.Tables.IDENTITY_LINKS;
import static io.rapport.db.generated.identity.Tables.USERS;
import static io.rapport.db.generated.identity.Tables.USER_ALIASES;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.rapport.identity.v1.Identity;
import io.rapport.identity.v1.User;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Ids;
import io.rapport.platform.Times;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.Result;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Users, their identities and aliases in PostgreSQL, beyond what is only data of them. */
public final class UserStore {
  /** What users are called in the change log. */
  public static final String KIND = "identity.user";

  /** What identity links are called in the change log. */
  static final String LINK_KIND = "identity.identity_link";

  private static final Comparator<Identity> ORDER =
      Comparator.comparing(Identity::getProvider).thenComparing(Identity::getSubject);

  /** That an identity is a user's, and that a user is there, never changes; see docs/caching.md. */
  private final Cache<Known, UUID> known = Caffeine.newBuilder().maximumSize(200_000).build();

  private record Known(UUID tenant, Object identityOrId) {}

  /** The identity's user, if this server has met it; null says nothing. */
  public @Nullable UUID known(UUID tenant, Identity identity) {
    return known.getIfPresent(new Known(tenant, identity));
  }

  /** Whether this server has met the user; false says nothing. */
  public boolean isKnown(UUID tenant, UUID user) {
    return known.getIfPresent(new Known(tenant, user)) != null;
  }

  /** Keeps what a transaction found or made, once it is committed. */
  public void remember(UUID tenant, Map<Identity, UUID> links, Collection<UUID> users) {
    links.forEach((identity, user) -> known.put(new Known(tenant, identity), user));
    users.forEach(user -> known.put(new Known(tenant, user), user));
  }

  /** Those of the users that are there. */
  public Set<UUID> existing(DSLContext tx, UUID tenant, Collection<UUID> users) {
    return tx.select(USERS.ID)
        .from(USERS)
        .where(USERS.TENANT_ID.eq(tenant), USERS.ID.in(users))
        .fetchSet(USERS.ID);
  }

  public Optional<UUID> find(DSLContext tx, UUID tenant, Identity identity) {
    return tx.select(IDENTITY_LINKS.USER_ID)
        .from(IDENTITY_LINKS)
        .where(
            IDENTITY_LINKS.TENANT_ID.eq(tenant),
            IDENTITY_LINKS.PROVIDER.eq(identity.getProvider()),
            IDENTITY_LINKS.SUBJECT.eq(identity.getSubject()))
        .fetchOptional(IDENTITY_LINKS.USER_ID);
  }

  /**
   * The users of identities.
   *
   * @param made those that were not there before, each with the link of its identity
   */
  public record Found(Map<Identity, UUID> users, Map<UUID, UUID> made) {
    /** What the change log is told of those that were made. */
    public List<Change> changes() {
      List<Change> changes = new ArrayList<>();
      made.forEach((user, link) -> {
        changes.add(new Change(KIND, Op.CREATED, user, user, 1));
        changes.add(new Change(LINK_KIND, Op.CREATED, link, user, 1));
      });
      return changes;
    }
  }

  /** The users of the identities; makes those that are not there yet. */
  public Found findOrMake(DSLContext tx, UUID tenant, Collection<Identity> identities) {
    Map<Identity, UUID> users = new HashMap<>(findAll(tx, tenant, identities));
    List<Identity> missing =
        identities.stream().filter(it -> !users.containsKey(it)).distinct().sorted(ORDER).toList();
    if (missing.isEmpty()) {
      return new Found(users, Map.of());
    }
    missing.forEach(identity -> users.put(identity, Ids.next()));
    Map<UUID, UUID> made = insert(tx, tenant, missing, missing.stream().map(users::get).toList());
    users.putAll(findAll(tx, tenant, missing)); // another transaction may have been first
    return new Found(users, made);
  }

  private static Map<Identity, UUID> findAll(
      DSLContext tx, UUID tenant, Collection<Identity> identities) {
    String[] providers = identities.stream().map(Identity::getProvider).toArray(String[]::new);
    String[] subjects = identities.stream().map(Identity::getSubject).toArray(String[]::new);
    Map<Identity, UUID> found = new HashMap<>();
    tx.fetch(
            """
            SELECT l.provider, l.subject, l.user_id
              FROM unnest({0}::text[], {1}::text[]) AS i (provider, subject)
              JOIN identity.identity_links l
                ON l.tenant_id = {2} AND l.provider = i.provider AND l.subject = i.subject
            """,
            DSL.val(providers), DSL.val(subjects), DSL.val(tenant))
        .forEach(row ->
            found.put(
                identity(row.get(0, String.class), row.get(1, String.class)),
                row.get(2, UUID.class)));
    return found;
  }

  /**
   * Inserts in order of the key, so that two transactions that make the same users can't deadlock.
   *
   * @return the users that were not there yet, each with the link of its identity
   */
  private static Map<UUID, UUID> insert(
      DSLContext tx, UUID tenant, List<Identity> identities, List<UUID> users) {
    Result<?> made =
        tx.fetch(
            """
            WITH input AS (
              SELECT * FROM unnest({0}::text[], {1}::text[], {2}::uuid[])
                AS i (provider, subject, user_id)
            ), linked AS (
              INSERT INTO identity.identity_links (tenant_id, provider, subject, user_id)
              SELECT {3}, provider, subject, user_id FROM input ORDER BY provider, subject
              ON CONFLICT DO NOTHING
              RETURNING user_id, id
            ), made AS (
              INSERT INTO identity.users (tenant_id, id) SELECT {3}, user_id FROM linked
              RETURNING id
            )
            SELECT made.id, linked.id FROM made JOIN linked ON linked.user_id = made.id
            """,
            DSL.val(identities.stream().map(Identity::getProvider).toArray(String[]::new)),
            DSL.val(identities.stream().map(Identity::getSubject).toArray(String[]::new)),
            DSL.val(users.toArray(UUID[]::new)),
            DSL.val(tenant));
    Map<UUID, UUID> links = new HashMap<>();
    made.forEach(row -> links.put(row.get(0, UUID.class), row.get(1, UUID.class)));
    return links;
  }

  /** The user and all users that are aliases of the same one: under any of them, the same. */
  public Set<UUID> person(DSLContext tx, UUID tenant, UUID user) {
    Set<UUID> ids = new LinkedHashSet<>();
    ids.add(user);
    UUID behind = behind(tx, tenant, user);
    ids.add(behind);
    ids.addAll(aliases(tx, tenant, behind));
    return ids;
  }

  /** The user itself, or the one that it is an alias of. */
  UUID behind(DSLContext tx, UUID tenant, UUID user) {
    return tx.select(USER_ALIASES.USER_ID)
        .from(USER_ALIASES)
        .where(USER_ALIASES.TENANT_ID.eq(tenant), USER_ALIASES.ALIAS_USER_ID.eq(user))
        .fetchOptional(USER_ALIASES.USER_ID)
        .orElse(user);
  }

  /**
   * Lets one transaction of a tenant at a time change aliases, so that they can't form a chain. In
   * one server they take turns already; this is for several.
   */
  void lockAliases(DSLContext tx, UUID tenant) {
    tx.fetch(
        "SELECT pg_advisory_xact_lock(hashtextextended({0}, 0))",
        DSL.val("identity.user_aliases/" + tenant));
  }

  /** Makes one user, and with it all its aliases, an alias of another. */
  void alias(DSLContext tx, UUID tenant, UUID alias, UUID user) {
    tx.update(USER_ALIASES)
        .set(USER_ALIASES.USER_ID, user)
        .where(USER_ALIASES.TENANT_ID.eq(tenant), USER_ALIASES.USER_ID.eq(alias))
        .execute();
    tx.insertInto(USER_ALIASES)
        .columns(USER_ALIASES.TENANT_ID, USER_ALIASES.ALIAS_USER_ID, USER_ALIASES.USER_ID)
        .values(tenant, alias, user)
        .execute();
  }

  /** Links a new identity to a user; gives the link's id, and nothing if it has a user already. */
  Optional<UUID> link(DSLContext tx, UUID tenant, Identity identity, UUID user) {
    return tx.insertInto(IDENTITY_LINKS)
        .columns(
            IDENTITY_LINKS.TENANT_ID,
            IDENTITY_LINKS.PROVIDER,
            IDENTITY_LINKS.SUBJECT,
            IDENTITY_LINKS.USER_ID)
        .values(tenant, identity.getProvider(), identity.getSubject(), user)
        .onConflictDoNothing()
        .returning(IDENTITY_LINKS.ID)
        .fetchOptional(IDENTITY_LINKS.ID);
  }

  /** Moves the user's revision, because what belongs to it has changed. */
  long touch(DSLContext tx, UUID tenant, UUID id) {
    return tx.update(USERS)
        .set(USERS.REVISION, USERS.REVISION.plus(1))
        .set(USERS.LAST_UPDATED_AT, DSL.field("now()", Instant.class))
        .where(USERS.TENANT_ID.eq(tenant), USERS.ID.eq(id))
        .returning(USERS.REVISION)
        .fetchSingle()
        .getRevision();
  }

  /**
   * Says that an active user has signed in.
   *
   * @return the user's revision; empty if there is no such user
   */
  Optional<Long> signedIn(DSLContext tx, UUID tenant, UUID id) {
    return tx.update(USERS)
        .set(USERS.LAST_LOGIN_AT, DSL.field("now()", Instant.class))
        .set(USERS.REVISION, USERS.REVISION.plus(1))
        .set(USERS.LAST_UPDATED_AT, DSL.field("now()", Instant.class))
        .where(USERS.TENANT_ID.eq(tenant), USERS.ID.eq(id), USERS.ACTIVE.isTrue())
        .returning(USERS.REVISION)
        .fetchOptional(USERS.REVISION);
  }

  /** The revision after the user was given a password; empty if the user isn't there. */
  Optional<Long> setPasswordHash(DSLContext tx, UUID tenant, UUID id, String hash) {
    return tx.update(USERS)
        .set(USERS.PASSWORD_HASH, hash)
        .set(USERS.REVISION, USERS.REVISION.plus(1))
        .set(USERS.LAST_UPDATED_AT, DSL.field("now()", Instant.class))
        .where(USERS.TENANT_ID.eq(tenant), USERS.ID.eq(id))
        .returning(USERS.REVISION)
        .fetchOptional(USERS.REVISION);
  }

  /** The hash of an active user's password. */
  Optional<String> passwordHash(DSLContext tx, UUID tenant, UUID id) {
    return tx.select(USERS.PASSWORD_HASH)
        .from(USERS)
        .where(USERS.TENANT_ID.eq(tenant), USERS.ID.eq(id), USERS.ACTIVE.isTrue())
        .fetchOptional(USERS.PASSWORD_HASH);
  }

  private static List<UUID> aliases(DSLContext tx, UUID tenant, UUID user) {
    return tx.select(USER_ALIASES.ALIAS_USER_ID)
        .from(USER_ALIASES)
        .where(USER_ALIASES.TENANT_ID.eq(tenant), USER_ALIASES.USER_ID.eq(user))
        .orderBy(USER_ALIASES.ALIAS_USER_ID)
        .fetch(USER_ALIASES.ALIAS_USER_ID);
  }

  /** Aliases, identities and last activity of users. */
  public void complete(
      DSLContext tx, UUID tenant, Map<UUID, User.Builder> users, Predicate<String> wanted) {
    tx.fetch(
            """
            SELECT u.id, a.user_id,
              ARRAY(SELECT alias_user_id FROM identity.user_aliases
                     WHERE tenant_id = {0} AND user_id = u.id ORDER BY alias_user_id),
              (SELECT max(y.last_activity_at) FROM identity.user_activity y
                WHERE y.tenant_id = {0} AND y.user_id IN (
                  SELECT COALESCE(a.user_id, u.id) UNION ALL
                  SELECT alias_user_id FROM identity.user_aliases
                   WHERE tenant_id = {0} AND user_id = COALESCE(a.user_id, u.id))),
              l.providers, l.subjects
              FROM unnest({1}::uuid[]) AS u (id)
              LEFT JOIN identity.user_aliases a ON a.tenant_id = {0} AND a.alias_user_id = u.id
              LEFT JOIN LATERAL (
                SELECT array_agg(provider ORDER BY provider, subject) AS providers,
                       array_agg(subject ORDER BY provider, subject) AS subjects
                  FROM identity.identity_links
                 WHERE tenant_id = {0} AND user_id IN (
                   SELECT u.id UNION ALL
                   SELECT alias_user_id FROM identity.user_aliases
                    WHERE tenant_id = {0} AND user_id = u.id)) l ON true
            """,
            DSL.val(tenant), DSL.val(users.keySet().toArray(UUID[]::new)))
        .forEach(row ->
            complete(Objects.requireNonNull(users.get(row.get(0, UUID.class))), row, wanted));
  }

  private static void complete(User.Builder user, Record row, Predicate<String> wanted) {
    UUID behind = row.get(1, UUID.class);
    if (behind != null && wanted.test("alias_of")) {
      user.setAliasOf(behind.toString());
    }
    if (wanted.test("aliases")) {
      for (UUID alias : row.get(2, UUID[].class)) {
        user.addAliases(alias.toString());
      }
    }
    Instant activity = row.get(3, Instant.class);
    if (activity != null && wanted.test("last_activity_at")) {
      user.setLastActivityAt(Times.proto(activity));
    }
    String[] providers = row.get(4, String[].class);
    String[] subjects = row.get(5, String[].class);
    if (providers != null && subjects != null && wanted.test("identities")) {
      for (int i = 0; i < providers.length; i++) {
        user.addIdentities(identity(providers[i], subjects[i]));
      }
    }
  }

  private static Identity identity(String provider, String subject) {
    return Identity.newBuilder().setProvider(provider).setSubject(subject).build();
  }
}
