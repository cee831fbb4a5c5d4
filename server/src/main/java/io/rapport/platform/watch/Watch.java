package io.rapport.platform.watch;

import io.rapport.platform.Caller;
import io.rapport.platform.Outbox;
import io.rapport.platform.watch.Cursor.Initial;
import io.rapport.platform.watch.InitialState.Point;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One watch: tells what there is, then what changes, until its stream ends. */
final class Watch<R> {
  private static final int MESSAGE = 1000;

  private final Watches watches;
  private final Caller.Tenant tenant;
  private final WatchPlan plan;
  private final Outbox<R> outbox;
  private final Presenter<R> presenter;
  private final TenantFeed feed;
  private final Subscription subscription;
  private long lastSent = System.nanoTime();

  Watch(
      Watches watches,
      Caller.Tenant tenant,
      WatchPlan plan,
      Outbox<R> outbox,
      Presenter<R> presenter,
      TenantFeed feed,
      Subscription subscription) {
    this.watches = watches;
    this.tenant = tenant;
    this.plan = plan;
    this.outbox = outbox;
    this.presenter = presenter;
    this.feed = feed;
    this.subscription = subscription;
  }

  /**
   * Never returns: throws what has ended the stream.
   *
   * @param initial where the initial state begins; null: without
   */
  void run(@Nullable Initial initial) {
    try {
      send(presenter.checkpoint(new Cursor(place(), initial).encode(tenant), false));
      if (initial != null) {
        tellInitialState(initial);
      }
      while (true) {
        tellNext();
      }
    } catch (NoLongerKeptException e) {
      throw Watches.expired(tenant, e.trimmed());
    }
  }

  private void tellInitialState(Initial begin) {
    List<String> kinds = plan.initialKinds();
    Place place = place();
    for (String kind : kinds.subList(kinds.indexOf(begin.kind()), kinds.size())) {
      Initial initial = kind.equals(begin.kind()) ? begin : new Initial(kind, null);
      for (List<LoggedChange> some = list(initial, place);
          !some.isEmpty();
          some = list(initial, place)) {
        tell(some, change -> new Cursor(place, after(kind, change)).encode(tenant));
        initial = after(kind, some.getLast());
      }
    }
    send(presenter.checkpoint(cursor(place()), true));
  }

  private List<LoggedChange> list(Initial initial, Place place) {
    outbox.requireOpen();
    return watches.initial(tenant.id(), initial, subscription.selection, place.position(), MESSAGE);
  }

  private static Initial after(String kind, LoggedChange last) {
    return new Initial(kind, new Point(last.changedAt(), last.entity()));
  }

  private void tellNext() {
    ChangeReader.Part part = next();
    if (part.peopleChanged()) {
      feed.select(
          subscription, subscription.selection.of(watches.persons(tenant.id(), plan.users())));
    }
    if (!part.changes().isEmpty()) {
      tell(part.changes(), change -> cursor(change.place()));
    }
    Duration left = plan.checkpointInterval().minusNanos(System.nanoTime() - lastSent);
    if (!left.isPositive()) {
      send(presenter.checkpoint(cursor(place()), false));
    } else if (part.changes().isEmpty() && !part.more()) {
      outbox.rest(left);
    }
  }

  /** From the feed, or from the log if this watch is behind it. */
  private ChangeReader.Part next() {
    outbox.requireOpen();
    ChangeReader.Part taken = feed.take(subscription, MESSAGE);
    if (taken != null) {
      return taken;
    }
    ChangeReader.Part part =
        watches.read(new ChangeReader.Order(tenant.id(), place(), subscription.selection, true));
    feed.advance(subscription, part.reached());
    return part;
  }

  private Place place() {
    return feed.place(subscription);
  }

  private String cursor(Place place) {
    return new Cursor(place, null).encode(tenant);
  }

  private void tell(List<LoggedChange> changes, Function<LoggedChange, String> cursor) {
    presenter.present(changes, cursor, this::send);
  }

  private void send(R message) {
    outbox.send(message);
    lastSent = System.nanoTime();
  }
}
