package io.rapport.platform.watch;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a commit did to one entity, or an entity that was there before.
 *
 * @param place after the change
 * @param op as the log has it; {@link #PRESENT} for what was there
 * @param user whom the entity is about, if it is about a user
 * @param type of an event, else null
 */
public record LoggedChange(
    Place place,
    String kind,
    String op,
    UUID entity,
    @Nullable UUID user,
    @Nullable String type,
    long revision,
    Instant changedAt) {

  /** The op of what was there when a watch began. */
  public static final String PRESENT = "PRESENT";

  LoggedChange at(Place other) {
    return new LoggedChange(other, kind, op, entity, user, type, revision, changedAt);
  }
}
