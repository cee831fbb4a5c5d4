package io.rapport.tracking.event;

import io.grpc.Status.Code;
import io.rapport.identity.UserStore;
import io.rapport.identity.v1.Identity;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.tracking.contract.Verdict;
import io.rapport.tracking.event.EventLogStore.Recorded;
import io.rapport.tracking.v1.EventContract.Mode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.IntStream;
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
  private boolean plain = true;
  private long position;

  /** An event whose id is to be remembered. */
  interface Item {
    UUID tenant();

    IncomingEvent event();

    default EventKey key() {
      return new EventKey(tenant(), event().id());
    }
  }

  /** An event that is to be recorded, and its user. */
  record Entry(UUID tenant, IncomingEvent event, UUID user) implements Item {}

  /** An event that is to be quarantined; its user need not be there. */
  record Suspect(UUID tenant, IncomingEvent event) implements Item {}

  EventBatch(UUID tenant, List<IncomingEvent> events) {
    this.tenant = tenant;
    this.events = events;
    this.users = new UUID[events.size()];
    this.decisions = new Decision[events.size()];
    this.first = HashMap.newHashMap(events.size());
    for (int i = 0; i < events.size(); i++) {
      IncomingEvent event = events.get(i);
      Verdict verdict = event.verdict();
      if (verdict == null || !event.isRejected()) {
        first.putIfAbsent(event.id(), i);
      } else {
        decisions[i] = Decision.refused(verdict.error());
      }
      plain &= verdict == null || verdict.mode() == Mode.STAMP;
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
      if (!needsUser(i)) {
        continue;
      }
      if (event.identity() != null) {
        users[i] = known.known(tenant, event.identity());
      } else if (event.user() != null && known.isKnown(tenant, event.user())) {
        users[i] = event.user();
      }
    }
  }

  /** Whether there is nothing to do but to record. */
  boolean isPlain() {
    return plain;
  }

  /** Whether one statement can record it, together with others. */
  boolean isShareable() {
    return plain && hasAllUsers();
  }

  private boolean needsUser(int i) {
    return decisions[i] == null && !events.get(i).isToQuarantine();
  }

  void setUsers(Map<Identity, UUID> found) {
    learntIdentities.putAll(found);
    for (int i = 0; i < users.length; i++) {
      Identity identity = events.get(i).identity();
      if (users[i] == null && identity != null && needsUser(i)) {
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
      if (users[i] == null && user != null && needsUser(i)) {
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
    return IntStream.range(0, users.length).noneMatch(i -> users[i] == null && needsUser(i));
  }

  Set<Identity> missingIdentities() {
    Set<Identity> missing = new HashSet<>();
    for (int i = 0; i < users.length; i++) {
      Identity identity = events.get(i).identity();
      if (users[i] == null && identity != null && needsUser(i)) {
        missing.add(identity);
      }
    }
    return missing;
  }

  Set<UUID> missingUserIds() {
    Set<UUID> missing = new HashSet<>();
    for (int i = 0; i < users.length; i++) {
      UUID user = events.get(i).user();
      if (users[i] == null && user != null && needsUser(i)) {
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

  /** The events to quarantine, each id once. */
  List<Suspect> suspects() {
    List<Suspect> suspects = new ArrayList<>();
    for (int i = 0; i < users.length && !plain; i++) {
      if (events.get(i).isToQuarantine() && isFirst(i) && decisions[i] == null) {
        suspects.add(new Suspect(tenant, events.get(i)));
      }
    }
    return suspects;
  }

  /** The keys of events that a contract rejects. */
  Collection<EventKey> rejectedKeys() {
    Set<EventKey> keys = new HashSet<>();
    for (int i = 0; i < users.length && !plain; i++) {
      if (events.get(i).isRejected()) {
        keys.add(new EventKey(tenant, events.get(i).id()));
      }
    }
    return keys;
  }

  /** What was recorded before its type had the contract stays so, and is a duplicate. */
  void setRejectedTaken(Map<EventKey, Recorded> recorded) {
    for (int i = 0; i < users.length; i++) {
      IncomingEvent event = events.get(i);
      Recorded found = recorded.get(new EventKey(tenant, event.id()));
      if (event.isRejected() && found != null && found.digest().equals(event.digest())) {
        decisions[i] = Decision.taken(event, found);
      }
    }
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
        decisions[i] = Decision.taken(events.get(i), found);
      }
    });
  }

  /** Decides the rest: they are recorded, or quarantined. */
  void setRecorded(long micros) {
    for (int i = 0; i < decisions.length; i++) {
      if (isFirst(i) && decisions[i] == null) {
        IncomingEvent event = events.get(i);
        decisions[i] =
            event.isToQuarantine()
                ? Decision.quarantined(event, micros)
                : Decision.recorded(event, micros);
      }
    }
  }

  /** Why events are refused, by their place. */
  Map<Integer, ServiceException> refusals() {
    Map<Integer, ServiceException> refusals = new TreeMap<>();
    for (int i = 0; i < decisions.length; i++) {
      Decision decision = decisions[i];
      if (decision != null && decision.refusal() != null) {
        refusals.put(i, decision.refusal());
      }
    }
    return refusals;
  }

  void setPosition(long number) {
    position = Math.max(position, number);
  }

  /** The number of the commit that recorded or quarantined some of them; 0 if none was. */
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
    return Decision.taken(events.get(i), before.under());
  }
}
