package io.rapport.identity;

import io.rapport.platform.ChangeSubscriber;

/**
 * Keeps when a user was last heard of. To the minute, so that a user who does much is not a row
 * that is written all the time.
 */
final class ActivitySubscriber implements ChangeSubscriber {
  @Override
  public boolean concerns(String kind) {
    return kind.equals(EVENT);
  }

  @Override
  public String statement() {
    return """
    INSERT INTO identity.user_activity AS a (tenant_id, user_id, last_activity_at)
    SELECT c.tenant_id, c.user_id, max(c.last_occurred_at)
      FROM changes c
      LEFT JOIN identity.user_activity k
        ON k.tenant_id = c.tenant_id AND k.user_id = c.user_id
     WHERE c.kind = 'event'
     GROUP BY c.tenant_id, c.user_id, k.last_activity_at
    HAVING k.last_activity_at IS NULL
        OR max(c.last_occurred_at) >= k.last_activity_at + interval '1 minute'
     ORDER BY c.tenant_id, c.user_id
    ON CONFLICT (tenant_id, user_id)
      DO UPDATE SET last_activity_at = GREATEST(a.last_activity_at, excluded.last_activity_at)
    RETURNING 1
    """;
  }
}
