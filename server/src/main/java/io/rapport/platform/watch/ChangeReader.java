package io.rapport.platform.watch;

import io.rapport.platform.ChangeSubscriber;
import io.rapport.platform.TenantDb;
import io.rapport.platform.watch.ChangeLogStore.Bounds;
import io.rapport.platform.watch.ChangeLogStore.Entry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jooq.DSLContext;

/** Reads changes in the order of commits, a bounded part at a time. */
final class ChangeReader {
  /** Entries of the log, and changes, in one part. */
  static final int PART = 1000;

  /** Events that entries may stand for, in one part; a single one may stand for more. */
  private static final int MAX_EVENTS = 10_000;

  private final TenantDb db;
  private final ChangeLogStore log;
  private final EventSource events;
  private final People people;

  ChangeReader(TenantDb db, ChangeLogStore log, EventSource events, People people) {
    this.db = db;
    this.log = log;
    this.events = events;
    this.people = people;
  }

  /**
   * Changes in order.
   *
   * @param reached where they end; everything before it was looked at
   * @param more whether there is more after it
   * @param peopleChanged whether it ends because who is one person may be different from here on
   */
  record Part(List<LoggedChange> changes, Place reached, boolean more, boolean peopleChanged) {}

  /** Which changes to read, and for whom. */
  record Order(UUID tenant, Place after, Selection selection, boolean withEvents) {
    boolean wantsEvents() {
      return withEvents && selection.hasEvents();
    }
  }

  /** Reads the changes that come after a place; throws {@link NoLongerKeptException}. */
  Part read(Order order) {
    return db.read(order.tenant(), dsl -> read(dsl, order));
  }

  private Part read(DSLContext dsl, Order order) {
    ChangeLogStore.Part part = log.read(dsl, order.tenant(), order.after(), PART + 1);
    requireKept(order.after(), part);
    Reading reading = new Reading(order, part);
    reading.events = readEvents(dsl, order, part.entries());
    return reading.read();
  }

  private static void requireKept(Place after, ChangeLogStore.Part part) {
    Bounds bounds = part.bounds();
    boolean cut =
        after.position() < bounds.trimmed()
            || (after.position() == bounds.trimmed()
                && bounds.trimmed() > 0
                && !after.endsCommit());
    List<Entry> entries = part.entries();
    boolean gap =
        entries.isEmpty()
            ? bounds.head() > after.position()
            : entries.getFirst().position() > after.position() + 1;
    if (cut || gap) {
      throw new NoLongerKeptException(bounds.trimmed());
    }
  }

  /** Events of the first entries that stand for some, and where they end. */
  private record Events(Map<Long, List<LoggedChange>> byPosition, long lastPosition, boolean cut) {}

  private Events readEvents(DSLContext dsl, Order order, List<Entry> entries) {
    if (!order.wantsEvents()) {
      return new Events(Map.of(), Long.MAX_VALUE, false);
    }
    List<EventSource.Entry> sources = new ArrayList<>();
    int rows = 0;
    long last = Long.MAX_VALUE;
    for (Entry entry : entries) {
      if (entry.kind().equals(ChangeSubscriber.EVENT)) {
        if (rows > MAX_EVENTS) {
          break;
        }
        rows += entry.rows();
        sources.add(source(entry, order.after()));
        last = rows > MAX_EVENTS ? entry.position() : last;
      }
    }
    return sources.isEmpty()
        ? new Events(Map.of(), last, false)
        : readEvents(dsl, order, sources, last);
  }

  private static EventSource.Entry source(Entry entry, Place after) {
    boolean begun = entry.position() == after.position() && entry.ordinal() == after.ordinal();
    return new EventSource.Entry(
        entry.position(),
        entry.ordinal(),
        entry.changedAt(),
        entry.batch(),
        begun ? after.event() : null);
  }

  private Events readEvents(
      DSLContext dsl, Order order, List<EventSource.Entry> sources, long last) {
    List<LoggedChange> found =
        events.read(dsl, order.tenant(), sources, order.selection(), PART + 1);
    boolean cut = found.size() > PART;
    Map<Long, List<LoggedChange>> byPosition = new HashMap<>();
    for (LoggedChange event : cut ? found.subList(0, PART) : found) {
      byPosition.computeIfAbsent(event.place().position(), p -> new ArrayList<>()).add(event);
    }
    return new Events(byPosition, cut ? found.get(PART - 1).place().position() : last, cut);
  }

  /** Puts entries and events together. */
  private final class Reading {
    private final Order order;
    private final List<Entry> entries;
    private final long head;
    private final List<LoggedChange> changes = new ArrayList<>();
    private Events events = new Events(Map.of(), Long.MAX_VALUE, false);
    private Place reached;

    private Reading(Order order, ChangeLogStore.Part part) {
      this.order = order;
      this.entries = part.entries();
      this.head = part.bounds().head();
      this.reached = order.after();
    }

    private Part read() {
      for (int i = 0; i < entries.size(); i++) {
        if (i == PART || changes.size() >= PART) {
          return new Part(changes, reached, true, false);
        }
        Entry entry = entries.get(i);
        Place end = end(i);
        if (entry.kind().equals(ChangeSubscriber.EVENT)) {
          if (!addEvents(entry, end)) {
            return new Part(changes, reached, true, false);
          }
        } else if (add(entry, end)) {
          return new Part(changes, reached, true, true);
        }
      }
      Place tip = Place.after(head);
      return new Part(changes, tip.compareTo(reached) > 0 ? tip : reached, false, false);
    }

    /** A commit's entries are all there or none is, so where no other follows it ends. */
    private Place end(int i) {
      Entry entry = entries.get(i);
      boolean last = i + 1 == entries.size() || entries.get(i + 1).position() != entry.position();
      return last
          ? Place.after(entry.position())
          : new Place(entry.position(), entry.ordinal(), null);
    }

    /** Whether who is one person may be different from here on. */
    private boolean add(Entry entry, Place end) {
      reached = end;
      if (entry.entity() != null) {
        LoggedChange change = change(entry, entry.entity(), end);
        if (order.selection().matches(change)) {
          changes.add(change);
        }
      }
      return order.selection().users() != null && people.mayChange(entry.kind(), entry.op());
    }

    /** Whether all of them were read, so that the next entry can be. */
    private boolean addEvents(Entry entry, Place end) {
      if (!order.wantsEvents()) {
        reached = end;
        return true;
      }
      if (entry.position() > events.lastPosition()) {
        return false;
      }
      List<LoggedChange> own = events.byPosition().getOrDefault(entry.position(), List.of());
      changes.addAll(own);
      if (events.cut() && entry.position() == events.lastPosition()) {
        reached = changes.getLast().place();
        return false;
      }
      if (!own.isEmpty()) {
        changes.set(changes.size() - 1, changes.getLast().at(end));
      }
      reached = end;
      return true;
    }

    private static LoggedChange change(Entry entry, UUID entity, Place end) {
      return new LoggedChange(
          end,
          entry.kind(),
          entry.op(),
          entity,
          entry.user(),
          null,
          entry.revision(),
          entry.changedAt());
    }
  }
}
