package io.rapport.identity;

import static io.rapport.db.generated.identity.Tables.SIGN_INS;
import static io.rapport.db.generated.identity.Tables.USERS;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Sign-ins in PostgreSQL, and the hashes of their tokens. */
final class SignInStore {
  /** What sign-ins are called in the change log. */
  static final String KIND = "identity.sign_in";

  /** What is known of a token. */
  record Found(UUID id, boolean active, Instant expiresAt, boolean userActive) {}

  /** A sign-in that was ended. */
  record Ended(UUID id, long revision) {}

  /** A sign-in that is to be. */
  record New(
      UUID id,
      UUID user,
      String tokenHash,
      Instant expiresAt,
      @Nullable String ipAddress,
      @Nullable String userAgent) {}

  void insert(DSLContext tx, UUID tenant, New signIn) {
    tx.insertInto(SIGN_INS)
        .set(SIGN_INS.TENANT_ID, tenant)
        .set(SIGN_INS.ID, signIn.id())
        .set(SIGN_INS.USER_ID, signIn.user())
        .set(SIGN_INS.TOKEN_HASH, signIn.tokenHash())
        .set(SIGN_INS.EXPIRES_AT, signIn.expiresAt())
        .set(SIGN_INS.IP_ADDRESS, signIn.ipAddress())
        .set(SIGN_INS.USER_AGENT, signIn.userAgent())
        .execute();
  }

  Optional<Found> find(DSLContext tx, UUID tenant, String tokenHash) {
    return tx.select(SIGN_INS.ID, SIGN_INS.ACTIVE, SIGN_INS.EXPIRES_AT, USERS.ACTIVE)
        .from(SIGN_INS)
        .join(USERS)
        .on(USERS.TENANT_ID.eq(SIGN_INS.TENANT_ID), USERS.ID.eq(SIGN_INS.USER_ID))
        .where(SIGN_INS.TENANT_ID.eq(tenant), SIGN_INS.TOKEN_HASH.eq(tokenHash))
        .fetchOptional(row -> new Found(row.value1(), row.value2(), row.value3(), row.value4()));
  }

  /** Ends all of a user's sign-ins, in the order of their ids. */
  List<Ended> endAll(DSLContext tx, UUID tenant, UUID user) {
    return tx.fetch(
            """
            WITH open AS (
              SELECT id FROM identity.sign_ins WHERE tenant_id = {0} AND user_id = {1} AND active
               ORDER BY id FOR NO KEY UPDATE)
            UPDATE identity.sign_ins s
               SET active = false, revision = s.revision + 1, last_updated_at = now()
              FROM open WHERE s.tenant_id = {0} AND s.id = open.id AND s.active
            RETURNING s.id, s.revision
            """,
            DSL.val(tenant), DSL.val(user))
        .map(row -> new Ended(row.get(0, UUID.class), row.get(1, Long.class)));
  }
}
