package io.rapport.platform.watch;

import io.grpc.Status.Code;
import io.rapport.platform.Caller;
import io.rapport.platform.Outbox;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.platform.v1.WatchStart;
import io.rapport.platform.watch.ChangeLogStore.Bounds;
import io.rapport.platform.watch.Cursor.Initial;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Begins watches, and gives them what they need. */
public final class Watches {
  private final TenantDb db;
  private final ChangeLogStore log;
  private final ChangeReader reader;
  private final ChangeFeed feed;
  private final People people;
  private final Map<String, InitialState> initialStates = new TreeMap<>();

  /** Watches that are behind leave most of the connections to calls. */
  private final Semaphore reads;

  Watches(
      TenantDb db,
      ChangeLogStore log,
      ChangeReader reader,
      ChangeFeed feed,
      People people,
      Collection<InitialState> initialStates,
      int reads) {
    this.db = db;
    this.log = log;
    this.reader = reader;
    this.feed = feed;
    this.people = people;
    this.reads = new Semaphore(reads, true);
    initialStates.forEach(state -> this.initialStates.put(state.kind(), state));
  }

  /** Watches for the caller, until the stream is ended from outside. */
  public <R> void run(WatchPlan plan, Outbox<R> outbox, Presenter<R> presenter) {
    requireInitialStates(plan);
    Caller.Tenant tenant = Caller.currentTenant();
    Bounds bounds = reading(() -> db.read(tenant.id(), dsl -> log.bounds(dsl, tenant.id())));
    Cursor cursor = cursor(tenant, plan, bounds);
    Subscription subscription =
        new Subscription(
            tenant.id(),
            plan.selection().of(persons(tenant.id(), plan.users())),
            cursor.place(),
            outbox::wake);
    TenantFeed following = feed.subscribe(subscription, bounds.head());
    try {
      new Watch<>(this, tenant, plan, outbox, presenter, following, subscription)
          .run(cursor.initial());
    } finally {
      feed.unsubscribe(subscription);
    }
  }

  private void requireInitialStates(WatchPlan plan) {
    List<String> without = new ArrayList<>(plan.initialKinds());
    without.removeAll(initialStates.keySet());
    if (!without.isEmpty()) {
      throw ServiceException.invalid(
              "filter.kinds",
              ErrorReason.INITIAL_STATE_UNSUPPORTED,
              "there is no initial state of " + String.join(", ", without))
          .with("supported", String.join(" ", initialStates.keySet()));
    }
    if (!plan.initialKinds().isEmpty() && plan.start().hasFromOldestKept()) {
      throw ServiceException.invalid(
          "start.from_oldest_kept",
          ErrorReason.INVALID_FIELD,
          "must not be set together with initial_state");
    }
  }

  private static Cursor cursor(Caller.Tenant tenant, WatchPlan plan, Bounds bounds) {
    WatchStart start = plan.start();
    return switch (start.getAtCase()) {
      case AFTER -> resumed(tenant, plan, bounds);
      case FROM_OLDEST_KEPT -> new Cursor(Place.after(bounds.trimmed()), null);
      case FROM_NOW, AT_NOT_SET -> {
        List<String> kinds = plan.initialKinds();
        Initial initial = kinds.isEmpty() ? null : new Initial(kinds.getFirst(), null);
        yield new Cursor(Place.after(bounds.head()), initial);
      }
    };
  }

  private static Cursor resumed(Caller.Tenant tenant, WatchPlan plan, Bounds bounds) {
    Cursor cursor = Cursor.decode(tenant, plan.start().getAfter());
    if (cursor.place().position() > bounds.head()) {
      throw ServiceException.invalid(
          "start.after", ErrorReason.CURSOR_AHEAD, "is of a commit that this service doesn't know");
    }
    Initial initial = cursor.initial();
    if (initial != null && !plan.initialKinds().contains(initial.kind())) {
      throw ServiceException.invalid(
          "start.after",
          ErrorReason.CURSOR_INVALID,
          "is inside an initial state that has " + initial.kind() + ", which is not asked for");
    }
    if (cursor.place().position() < bounds.trimmed()) {
      throw expired(tenant, bounds.trimmed());
    }
    return cursor;
  }

  static ServiceException expired(Caller.Tenant tenant, long trimmed) {
    return ServiceException.of(
            Code.OUT_OF_RANGE,
            ErrorReason.CURSOR_EXPIRED,
            "what comes after the cursor is no longer kept")
        .with("oldest_cursor", new Cursor(Place.after(trimmed), null).encode(tenant));
  }

  /** The users with their aliases; null if there are none. */
  @Nullable Set<UUID> persons(UUID tenant, List<UUID> users) {
    if (users.isEmpty()) {
      return null;
    }
    return reading(() ->
        db.read(
            tenant,
            dsl -> {
              Set<UUID> all = new HashSet<>();
              users.forEach(user -> all.addAll(people.person(dsl, tenant, user)));
              return all;
            }));
  }

  ChangeReader.Part read(ChangeReader.Order order) {
    return reading(() -> reader.read(order));
  }

  List<LoggedChange> initial(
      UUID tenant, Initial initial, Selection selection, long position, int limit) {
    InitialState state = initialStates.get(initial.kind());
    if (state == null) {
      throw new IllegalStateException("no initial state of " + initial.kind());
    }
    return reading(() ->
        db.read(
            tenant, dsl -> state.list(dsl, tenant, selection, position, initial.point(), limit)));
  }

  private <T> T reading(Supplier<T> read) {
    reads.acquireUninterruptibly();
    try {
      return read.get();
    } finally {
      reads.release();
    }
  }
}
