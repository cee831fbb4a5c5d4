package io.rapport.platform.watch;

import io.rapport.platform.ChangeSubscriber;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Which changes a watch is about.
 *
 * @param kinds empty: all
 * @param users with their aliases; null: about anybody or nobody
 * @param types of events; empty: all
 * @param entity the one entity; null: any
 */
public record Selection(
    Set<String> kinds, @Nullable Set<UUID> users, Set<String> types, @Nullable UUID entity) {

  static final Selection ALL = new Selection(Set.of(), null, Set.of(), null);

  boolean hasKind(String kind) {
    return kinds.isEmpty() || kinds.contains(kind);
  }

  boolean hasEvents() {
    return hasKind(ChangeSubscriber.EVENT);
  }

  boolean matches(LoggedChange change) {
    return hasKind(change.kind())
        && (entity == null || entity.equals(change.entity()))
        && (users == null || (change.user() != null && users.contains(change.user())))
        && (types.isEmpty() || (change.type() != null && types.contains(change.type())));
  }

  Selection of(@Nullable Set<UUID> others) {
    return new Selection(kinds, others, types, entity);
  }
}
