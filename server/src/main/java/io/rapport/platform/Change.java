package io.rapport.platform;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a write did to an entity.
 *
 * @param kind what sort of entity it is, such as {@code identity.user}
 * @param user whom the entity is about, if it is about a user
 * @param revision the entity's, after the write
 */
public record Change(String kind, Op op, UUID entity, @Nullable UUID user, long revision) {

  /** What was done. */
  public enum Op {
    CREATED,
    UPDATED,
    DELETED
  }
}
