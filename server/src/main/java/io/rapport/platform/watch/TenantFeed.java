package io.rapport.platform.watch;

import io.rapport.platform.watch.ChangeReader.Part;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The last changes of one tenant, read once for all of its watches. A watch that has fallen behind
 * what is held here reads the log by itself until it has caught up.
 *
 * <p>A watch that waits is woken by a change that concerns it; past all others it is moved along.
 */
final class TenantFeed {
  private static final int CAPACITY = 2048;

  private final UUID tenant;
  private final People people;
  private final LoggedChange[] ring = new LoggedChange[CAPACITY];
  private final Set<Subscription> subscriptions = new HashSet<>();
  private long first;
  private long end;

  /** Of everything between the two, all is held that a subscription can want. */
  private Place start;

  private Place reached;
  private int forEvents;

  TenantFeed(UUID tenant, People people, long head) {
    this.tenant = tenant;
    this.people = people;
    this.start = Place.after(head);
    this.reached = start;
  }

  UUID tenant() {
    return tenant;
  }

  synchronized void add(Subscription subscription) {
    subscriptions.add(subscription);
    if (subscription.selection.hasEvents() && forEvents++ == 0) {
      forget(reached);
    }
  }

  synchronized void remove(Subscription subscription) {
    if (subscriptions.remove(subscription) && subscription.selection.hasEvents()) {
      forEvents--;
    }
  }

  synchronized boolean isUnwatched() {
    return subscriptions.isEmpty();
  }

  /** What is to be read next; null if nothing is, because all up to {@code head} has been. */
  synchronized ChangeReader.@Nullable Order next(long head) {
    return head <= reached.position()
        ? null
        : new ChangeReader.Order(tenant, reached, Selection.ALL, forEvents > 0);
  }

  /** Takes in what was read. If it isn't what is wanted any more, it is read anew. */
  synchronized void add(ChangeReader.Order order, Part part) {
    if (!order.after().equals(reached) || order.withEvents() != forEvents > 0) {
      return;
    }
    for (LoggedChange change : part.changes()) {
      if (end - first == CAPACITY) {
        start = at(first++).place();
      }
      ring[(int) (end++ % CAPACITY)] = change;
    }
    reached = part.reached();
    subscriptions.forEach(subscription -> tell(subscription, order.after(), part.changes()));
  }

  private void tell(Subscription subscription, Place before, List<LoggedChange> changes) {
    if (subscription.place.compareTo(before) < 0) {
      return; // it is not waiting, and will ask
    }
    for (LoggedChange change : changes) {
      boolean isNew = change.place().compareTo(subscription.place) > 0;
      if (isNew && concerns(subscription, change)) {
        subscription.wake.run();
        return;
      }
    }
    moveTo(subscription, reached);
  }

  private boolean concerns(Subscription subscription, LoggedChange change) {
    return subscription.selection.matches(change) || changesPeople(subscription, change);
  }

  private boolean changesPeople(Subscription subscription, LoggedChange change) {
    return subscription.selection.users() != null && people.mayChange(change.kind(), change.op());
  }

  private static void moveTo(Subscription subscription, Place place) {
    if (place.compareTo(subscription.place) > 0) {
      subscription.place = place;
    }
  }

  /** Gives up what is held: all watches read the log up to {@code place} by themselves. */
  synchronized void forget(Place place) {
    first = end;
    start = place;
    reached = place;
    subscriptions.forEach(subscription -> subscription.wake.run());
  }

  /** What comes next for a subscription, which goes on to its end; null if it has fallen behind. */
  synchronized @Nullable Part take(Subscription subscription, int most) {
    if (subscription.place.compareTo(start) < 0) {
      return null;
    }
    List<LoggedChange> taken = new ArrayList<>();
    for (long i = firstAfter(subscription.place); i < end; i++) {
      LoggedChange change = at(i);
      if (subscription.selection.matches(change)) {
        taken.add(change);
      }
      boolean peopleChanged = changesPeople(subscription, change);
      if (peopleChanged || taken.size() == most) {
        subscription.place = change.place();
        return new Part(taken, change.place(), true, peopleChanged);
      }
    }
    moveTo(subscription, reached);
    return new Part(taken, subscription.place, false, false);
  }

  /** Moves a subscription on that has read by itself. */
  synchronized void advance(Subscription subscription, Place place) {
    moveTo(subscription, place);
  }

  synchronized void select(Subscription subscription, Selection selection) {
    subscription.selection = selection;
  }

  synchronized Place place(Subscription subscription) {
    return subscription.place;
  }

  private LoggedChange at(long number) {
    return ring[(int) (number % CAPACITY)];
  }

  /** The number of the first change that is held and lies after a place. */
  private long firstAfter(Place place) {
    long low = first;
    long high = end;
    while (low < high) {
      long middle = (low + high) >>> 1;
      if (at(middle).place().compareTo(place) > 0) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }
}
