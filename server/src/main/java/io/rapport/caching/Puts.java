package io.rapport.caching;

import com.google.protobuf.ByteString;
import io.rapport.caching.v1.Dependency;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.PutCondition;
import io.rapport.caching.v1.Question;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Etags;
import io.rapport.platform.RefusedCalls;
import io.rapport.platform.ServiceException;
import io.rapport.platform.SharedWork;
import io.rapport.platform.Times;
import io.rapport.platform.Transaction;
import io.rapport.platform.v1.ErrorReason;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Keeps values, those of several calls in a transaction. Locks are taken in one order by all:
 * leases, then entries, both by their ids, then the tenant's head.
 */
final class Puts implements SharedWork<Puts.Call, List<Entry>> {
  private final EntryStore entries;
  private final MarkStore marks;
  private final WarmupStore warmups = new WarmupStore();
  private final QuestionStore questions = new QuestionStore();
  private final PutChecks checks;
  private final PutConditions conditions;
  private final Usage usage;
  private final Waiting waiting;

  /**
   * A value to keep.
   *
   * @param condition what must hold; the default: nothing
   * @param question what an analysis answers, if it says so
   * @param field where in the request it stands
   */
  record Item(
      EntryKey key,
      ByteString value,
      EntryInfo info,
      PutCondition condition,
      @Nullable Question question,
      String field) {
    ServiceException invalid(String path, String description) {
      return ServiceException.invalid(field + "." + path, ErrorReason.INVALID_FIELD, description);
    }

    boolean has(PutCondition.ConditionCase wanted) {
      return condition.getConditionCase() == wanted;
    }
  }

  /**
   * Values that are kept all, or none.
   *
   * @param head the last commit when the call began; for values without a lease
   */
  record Call(List<Item> items, long head) {}

  /** An entry to be put, whose dependencies are not complete yet. */
  private record Planned(Item item, EntryStore.@Nullable Present before, Entry entry) {}

  /** The same in the database. */
  private record Written(Planned planned, EntryStore.Kept row) {
    UUID id() {
      return planned.item().key().id();
    }

    /** Whether another caller put the entry just before, when there was none. */
    boolean isOvertaken() {
      return planned.before() == null && !row.isNew();
    }
  }

  Puts(
      EntryStore entries,
      MarkStore marks,
      PutChecks checks,
      PutConditions conditions,
      Usage usage,
      Waiting waiting) {
    this.entries = entries;
    this.marks = marks;
    this.checks = checks;
    this.conditions = conditions;
    this.usage = usage;
    this.waiting = waiting;
  }

  @Override
  public Collection<UUID> keys(Call call) {
    return call.items().stream().map(item -> item.key().id()).toList();
  }

  @Override
  public long bytes(Call call) {
    return call.items().stream().mapToLong(item -> item.value().size()).sum();
  }

  @Override
  public List<List<Entry>> on(Transaction tx, List<Call> calls) {
    PutChecks.In check = checks.in(tx.dsl(), tx.tenant());
    List<Call> checked = RefusedCalls.each(calls, check::checked);
    List<Item> items = checked.stream().flatMap(call -> call.items().stream()).toList();
    PutConditions.Locked locked = conditions.lock(tx, items);
    RefusedCalls.require(
        checked,
        call -> call.items().forEach(item -> conditions.require(tx.tenant(), item, locked)));
    Map<UUID, Entry> kept = write(tx, checked, locked);
    conditions.endLeases(tx, locked);
    warmups.remove(tx.dsl(), tx.tenant(), kept.keySet());
    return checked.stream().map(call -> of(call, kept)).toList();
  }

  private static List<Entry> of(Call call, Map<UUID, Entry> kept) {
    return call.items().stream().map(item -> kept.get(item.key().id())).toList();
  }

  @Override
  public void committed(UUID tenant, List<Call> calls) {
    for (Call call : calls) {
      for (Item item : call.items()) {
        usage.put(tenant, item.key(), item.info());
        waiting.ended(tenant, item.key().id());
      }
    }
  }

  /** Writes the entries; returns them by their ids. */
  private Map<UUID, Entry> write(Transaction tx, List<Call> calls, PutConditions.Locked locked) {
    Set<String> names = new HashSet<>();
    calls.forEach(call -> call.items().forEach(item -> names.addAll(names(item))));
    Map<String, UUID> known = new HashMap<>(marks.find(tx.dsl(), tx.tenant(), names));
    List<Written> all = write(tx, planned(calls, locked, known));
    Set<UUID> overtaken = new HashSet<>();
    all.stream().filter(Written::isOvertaken).forEach(it -> overtaken.add(it.id()));
    RefusedCalls.require(calls, call -> PutConditions.requireFirst(call.items(), overtaken));
    if (known.size() < names.size()) {
      known.putAll(marks.make(tx.dsl(), tx.tenant(), names));
    }
    Map<UUID, Entry> kept = new HashMap<>();
    all.forEach(written -> kept.put(written.id(), finish(tx, written, known)));
    return kept;
  }

  private static List<Planned> planned(
      List<Call> calls, PutConditions.Locked locked, Map<String, UUID> known) {
    List<Planned> planned = new ArrayList<>();
    for (Call call : calls) {
      for (Item item : call.items()) {
        Entry entry = entry(item, locked.readPosition(item, call.head()), own(item, known));
        planned.add(new Planned(item, locked.entry(item), entry));
      }
    }
    return planned;
  }

  private List<Written> write(Transaction tx, List<Planned> planned) {
    List<EntryStore.Kept> rows =
        entries.put(tx.dsl(), tx.tenant(), planned.stream().map(Planned::entry).toList());
    List<Written> written = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      written.add(new Written(planned.get(i), rows.get(i)));
    }
    return written;
  }

  /** Its own id, and the marks that are known of what it depends on. */
  private static Set<UUID> own(Item item, Map<String, UUID> known) {
    Set<UUID> own = new HashSet<>();
    own.add(item.key().id());
    names(item).stream().filter(known::containsKey).forEach(name -> own.add(known.get(name)));
    return own;
  }

  private Entry finish(Transaction tx, Written written, Map<String, UUID> known) {
    Planned planned = written.planned();
    EntryStore.Kept row = written.row();
    Item item = planned.item();
    Set<UUID> all = own(item, known);
    long read = planned.entry().readPosition();
    List<UUID> others = others(item);
    if (!others.isEmpty()) {
      EntryStore.Inherited inherited = entries.inherited(tx.dsl(), tx.tenant(), others);
      all.addAll(inherited.marks());
      String itself = MarkName.ofValue(item.key().id()); // where entries depend on each other
      all.removeAll(marks.find(tx.dsl(), tx.tenant(), List.of(itself)).values());
      read = Math.min(read, inherited.readPosition());
    }
    if (all.size() > planned.entry().marks().size() || read < planned.entry().readPosition()) {
      entries.setMarks(tx.dsl(), tx.tenant(), item.key().id(), all, read);
    }
    setQuestion(tx.dsl(), tx.tenant(), item);
    log(tx, planned, row, all);
    return kept(planned.entry(), row);
  }

  /** The entries that it depends on: what they depend on, it does too. */
  private static List<UUID> others(Item item) {
    return item.info().getDependenciesList().stream()
        .filter(Dependency::hasEntry)
        .map(it -> EntryKey.of(it.getEntry()).id())
        .toList();
  }

  private void setQuestion(DSLContext dsl, UUID tenant, Item item) {
    Question question = item.question();
    if (question != null) {
      questions.put(dsl, tenant, item.key(), question);
    } else if (item.key().key().hasAnalysis()) {
      questions.remove(dsl, tenant, item.key());
    }
  }

  private static Set<String> names(Item item) {
    Set<String> names = new HashSet<>(MarkName.ofKey(item.key()));
    item.info().getDependenciesList().forEach(it -> names.add(MarkName.of(it)));
    return names;
  }

  private static Entry entry(Item item, long readPosition, Set<UUID> marks) {
    EntryInfo info = item.info();
    return new Entry(
        item.key(),
        TypedEntry.of(item.key(), item.value(), info),
        info,
        readPosition,
        List.copyOf(marks),
        null,
        Times.micros(info.getExpiresAt()),
        Times.micros(info.getRefreshAfter()),
        0);
  }

  /** What depends on the entry must be computed again, unless this leaves it as it was. */
  private static void log(Transaction tx, Planned planned, EntryStore.Kept row, Set<UUID> marks) {
    UUID id = planned.item().key().id();
    UUID user = planned.item().key().user();
    long revision = row.revision();
    Op op = row.isNew() ? Op.CREATED : Op.UPDATED;
    tx.changed(new Change(EntryStore.KIND, op, id, user, revision));
    ByteString checksum = planned.item().info().getChecksum();
    EntryStore.Present before = planned.before();
    if (before == null || !before.checksum().equals(checksum) || !before.marks().equals(marks)) {
      tx.changed(new Change(EntryStore.VALUE_KIND, op, id, user, revision));
    }
  }

  private static Entry kept(Entry entry, EntryStore.Kept kept) {
    EntryInfo info =
        entry.info().toBuilder()
            .setCreatedAt(Times.proto(kept.createdAt()))
            .setUpdatedAt(Times.proto(kept.updatedAt()))
            .setEtag(Etags.of(kept.revision()))
            .build();
    return new Entry(
        entry.key(),
        TypedEntry.of(entry.key(), TypedEntry.value(entry.message()), info),
        info,
        entry.readPosition(),
        entry.marks(),
        null,
        entry.expiresMicros(),
        entry.refreshMicros(),
        kept.revision());
  }
}
