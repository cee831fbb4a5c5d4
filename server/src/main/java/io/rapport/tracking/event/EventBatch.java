package io.rapport.tracking.event;

import io.grpc.Status.Code;
import io.rapport.identity.UserStore;
import io.rapport.identity.v1.Identity;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.tracking.event.EventLogStore.Recorded;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Events of a tenant that are decided in one commit, and what is decided of each. An id that comes
 * several times is decided once, at its first place; the others are judged against that one.
 */
final class EventBatch {
  private final UUID tenant;
  private final List<IncomingEvent> events;
  private final @Nullable UUID[] users;
  private final @Nullable Decision[] decisions;
  private final Map<UUID, Integer> first;
  private final Map<Identity, UUID> learntIdentities = new HashMap<>();
  private final Set<UUID> learntUsers = new HashSet<>();
  private long position;

  /** An event that is to be recorded, and its user. */
  record Entry(UUID tenant, IncomingEvent event, UUID user) {
    EventKey key() {
      return new EventKey(tenant, event.id());
    }
  }

  EventBatch(UUID tenant, List<IncomingEvent> events) {
    this.tenant = tenant;
    this.events = events;
    this.users = new UUID[events.size()];
    this.decisions = new Decision[events.size()];
    this.first = HashMap.newHashMap(events.size());
    for (int i = 0; i < events.size(); i++) {
      first.putIfAbsent(events.get(i).id(), i);
    }
  }

  UUID tenant() {
    return tenant;
  }

  List<IncomingEvent> events() {
    return events;
  }

  int size() {
    return events.size();
  }

  /** Sets the users that this server has met before. */
  void setUsers(UserStore known) {
    for (int i = 0; i < users.length; i++) {
      IncomingEvent event = events.get(i);
      if (event.identity() != null) {
        users[i] = known.known(tenant, event.identity());
      } else if (event.user() != null && known.isKnown(tenant, event.user())) {
        users[i] = event.user();
      }
    }
  }

  void setUsers(Map<Identity, UUID> found) {
    learntIdentities.putAll(found);
    for (int i = 0; i < users.length; i++) {
      Identity identity = events.get(i).identity();
      if (users[i] == null && identity != null) {
        users[i] = found.get(identity);
      }
    }
  }

  /** Refuses the events of those missing users that are not there. */
  void refuseUnknownUsers(Set<UUID> existing) {
    learntUsers.addAll(existing);
    first.clear(); // what is refused keeps no other event from its id
    for (int i = 0; i < users.length; i++) {
      UUID user = events.get(i).user();
      if (users[i] == null && user != null) {
        if (existing.contains(user)) {
          users[i] = user;
        } else {
          decisions[i] = Decision.refused(unknownUser(user));
        }
      }
      if (decisions[i] == null) {
        first.putIfAbsent(events.get(i).id(), i);
      }
    }
  }

  private static ServiceException unknownUser(UUID user) {
    return ServiceException.of(
            Code.NOT_FOUND,
            ErrorReason.USER_NOT_FOUND,
            "there is no user with this user_id; send an identity to have one made")
        .with("user_id", user.toString());
  }

  boolean hasAllUsers() {
    return Arrays.stream(users).noneMatch(user -> user == null);
  }

  Set<Identity> missingIdentities() {
    Set<Identity> missing = new HashSet<>();
    for (int i = 0; i < users.length; i++) {
      Identity identity = events.get(i).identity();
      if (users[i] == null && identity != null) {
        missing.add(identity);
      }
    }
    return missing;
  }

  Set<UUID> missingUserIds() {
    Set<UUID> missing = new HashSet<>();
    for (int i = 0; i < users.length; i++) {
      UUID user = events.get(i).user();
      if (users[i] == null && user != null) {
        missing.add(user);
      }
    }
    return missing;
  }

  /** Keeps what the transaction learnt of users, now that it is committed. */
  void rememberUsers(UserStore known) {
    known.remember(tenant, learntIdentities, learntUsers);
  }

  /** The events to record, each id once. */
  List<Entry> undecided() {
    List<Entry> undecided = new ArrayList<>(first.size());
    for (int i = 0; i < users.length; i++) {
      UUID user = users[i];
      if (user != null && isFirst(i) && decisions[i] == null) {
        undecided.add(new Entry(tenant, events.get(i), user));
      }
    }
    return undecided;
  }

  Collection<EventKey> undecidedKeys() {
    List<EventKey> keys = new ArrayList<>();
    for (int i = 0; i < users.length; i++) {
      if (isFirst(i) && decisions[i] == null) {
        keys.add(new EventKey(tenant, events.get(i).id()));
      }
    }
    return keys;
  }

  /** Decides those whose ids were recorded before. */
  void setTaken(Map<EventKey, Recorded> recorded) {
    recorded.forEach((key, found) -> {
      Integer i = key.tenant().equals(tenant) ? first.get(key.event()) : null;
      if (i != null) {
        decisions[i] = Decision.taken(events.get(i), found.micros(), found.digest());
      }
    });
  }

  /** Decides the rest: they are recorded. */
  void setRecorded(long micros) {
    for (int i = 0; i < decisions.length; i++) {
      if (isFirst(i) && decisions[i] == null) {
        decisions[i] = Decision.recorded(events.get(i), micros);
      }
    }
  }

  void setPosition(long position) {
    this.position = position;
  }

  /** The number of the commit that recorded some of them; 0 if none was. */
  long position() {
    return position;
  }

  private boolean isFirst(int i) {
    Integer at = first.get(events.get(i).id());
    return at != null && at == i;
  }

  List<Decision> decisions() {
    List<Decision> all = new ArrayList<>(decisions.length);
    for (int i = 0; i < decisions.length; i++) {
      all.add(decisionOf(i));
    }
    return all;
  }

  private Decision decisionOf(int i) {
    Decision own = decisions[i];
    if (own != null) {
      return own;
    }
    Decision before = decisions[first.getOrDefault(events.get(i).id(), i)];
    if (before == null) {
      throw new IllegalStateException("an event is not decided");
    }
    return Decision.taken(events.get(i), before.recordedMicros(), before.recordedDigest());
  }
}
