package io.rapport.caching;

import com.google.protobuf.ByteString;
import io.grpc.Status.Code;
import io.rapport.caching.v1.Dependency;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.PutCondition;
import io.rapport.caching.v1.Question;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Etags;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Times;
import io.rapport.platform.Transaction;
import io.rapport.platform.v1.ErrorReason;
import java.time.Clock;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/** Keeps values. */
final class Puts {
  private static final int MAX_VALUE_BYTES = 600 * 1024;
  private static final int MAX_PARAMETERS_BYTES = 16 * 1024;

  private final EntryStore entries;
  private final MarkStore marks;
  private final LeaseStore leases;
  private final WarmupStore warmups = new WarmupStore();
  private final QuestionStore questions = new QuestionStore();
  private final Leasing leasing;
  private final Lifetimes lifetimes;
  private final People people;
  private final Clock clock;

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
  }

  Puts(
      EntryStore entries,
      MarkStore marks,
      LeaseStore leases,
      Leasing leasing,
      Lifetimes lifetimes,
      People people,
      Clock clock) {
    this.entries = entries;
    this.marks = marks;
    this.leases = leases;
    this.leasing = leasing;
    this.lifetimes = lifetimes;
    this.people = people;
    this.clock = clock;
  }

  /** Refuses what can't be kept, and fills in what was left out. */
  Item checked(DSLContext dsl, UUID tenant, Item item) {
    people.require(dsl, tenant, item.key().user());
    requireSizes(item);
    requireDirection(item);
    EntryInfo.Builder info = item.info().toBuilder();
    ByteString checksum = ByteString.copyFrom(EntryKey.sha256(item.value().toByteArray()));
    if (!info.getChecksum().isEmpty() && !info.getChecksum().equals(checksum)) {
      throw item.invalid("info.checksum", "is not the SHA-256 of the value");
    }
    if (!info.hasConfidence()) {
      info.setConfidence(1);
    }
    setTimes(dsl, tenant, item, info);
    return new Item(
        item.key(),
        item.value(),
        info.setChecksum(checksum).clearCreatedAt().clearUpdatedAt().clearEtag().build(),
        item.condition(),
        item.question(),
        item.field());
  }

  private static void requireDirection(Item item) {
    Question question = item.question();
    if (question != null && !Questions.hasDirection(question)) {
      throw item.invalid("question.embedding", Questions.NO_DIRECTION);
    }
  }

  private static void requireSizes(Item item) {
    if (item.value().size() > MAX_VALUE_BYTES) {
      throw item.invalid("value", "must be at most 600 KiB in protobuf's form");
    }
    if (item.info().getProcessingParameters().getSerializedSize() > MAX_PARAMETERS_BYTES) {
      throw item.invalid("info.processing_parameters", "must be at most 16 KiB");
    }
  }

  private void setTimes(DSLContext dsl, UUID tenant, Item item, EntryInfo.Builder info) {
    long now = Times.micros(clock.instant());
    Lifetimes.Lifetime lifetime =
        info.hasExpiresAt()
            ? Lifetimes.until(Times.micros(info.getExpiresAt()) - now)
            : lifetimes.of(dsl, tenant, item.key());
    long expires = now + lifetime.micros();
    if (expires <= now) {
      throw item.invalid("info.expires_at", "must be in the future");
    }
    long refresh =
        info.hasRefreshAfter()
            ? Times.micros(info.getRefreshAfter())
            : now + lifetime.refreshMicros();
    if (refresh > expires) {
      throw item.invalid("info.refresh_after", "must not be after expires_at");
    }
    info.setExpiresAt(Times.proto(expires)).setRefreshAfter(Times.proto(refresh));
  }

  /** A value that is written, whose dependencies are not complete yet. */
  private record Written(
      Item item, Optional<EntryStore.Present> before, Entry entry, EntryStore.Kept kept) {}

  /**
   * Keeps checked values. Locks are taken in one order by all: leases and entries by their ids,
   * then the tenant's head.
   *
   * @param head the last commit when the call began; for values without a lease
   */
  List<Entry> put(Transaction tx, List<Item> items, long head) {
    Set<String> names = new HashSet<>();
    items.forEach(item -> names.addAll(names(item)));
    Map<String, UUID> known = new HashMap<>(marks.find(tx.dsl(), tx.tenant(), names));
    List<Written> written =
        items.stream()
            .sorted(Comparator.comparing(Item::key, EntryKey.ORDER))
            .map(item -> write(tx, item, head, known))
            .toList();
    if (known.size() < names.size()) {
      known.putAll(marks.make(tx.dsl(), tx.tenant(), names));
    }
    Map<UUID, Entry> kept = new HashMap<>();
    written.forEach(it -> kept.put(it.item().key().id(), finish(tx, it, known)));
    return items.stream().map(item -> kept.get(item.key().id())).toList();
  }

  private Written write(Transaction tx, Item item, long head, Map<String, UUID> known) {
    DSLContext dsl = tx.dsl();
    UUID tenant = tx.tenant();
    Optional<LeaseStore.Held> lease = lease(dsl, tenant, item);
    Optional<EntryStore.Present> before = entries.lock(dsl, tenant, item.key().id());
    require(item, before, dsl, tenant);
    long read = lease.map(LeaseStore.Held::readPosition).orElse(head);
    Entry entry = entry(item, read, own(item, known));
    EntryStore.Kept kept = entries.put(dsl, tenant, entry);
    if (before.isEmpty()
        && !kept.isNew()
        && hasCondition(item, PutCondition.ConditionCase.IF_ABSENT)) {
      throw exists(); // another caller put it at the same time
    }
    return new Written(item, before, entry, kept);
  }

  /** Its own id, and the marks that are known of what it depends on. */
  private static Set<UUID> own(Item item, Map<String, UUID> known) {
    Set<UUID> own = new HashSet<>();
    own.add(item.key().id());
    names(item).stream().filter(known::containsKey).forEach(name -> own.add(known.get(name)));
    return own;
  }

  private Entry finish(Transaction tx, Written written, Map<String, UUID> known) {
    Item item = written.item();
    Set<UUID> all = own(item, known);
    long read = written.entry().readPosition();
    List<UUID> others = others(item);
    if (!others.isEmpty()) {
      EntryStore.Inherited inherited = entries.inherited(tx.dsl(), tx.tenant(), others);
      all.addAll(inherited.marks());
      String itself = MarkName.ofValue(item.key().id()); // where entries depend on each other
      all.removeAll(marks.find(tx.dsl(), tx.tenant(), List.of(itself)).values());
      read = Math.min(read, inherited.readPosition());
    }
    if (all.size() > written.entry().marks().size() || read < written.entry().readPosition()) {
      entries.setMarks(tx.dsl(), tx.tenant(), item.key().id(), all, read);
    }
    setQuestion(tx.dsl(), tx.tenant(), item);
    warmups.remove(tx.dsl(), tx.tenant(), item.key().id());
    log(tx, written, all);
    return kept(written.entry(), written.kept());
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

  private static boolean hasCondition(Item item, PutCondition.ConditionCase condition) {
    return item.condition().getConditionCase() == condition;
  }

  private Optional<LeaseStore.Held> lease(DSLContext dsl, UUID tenant, Item item) {
    if (!hasCondition(item, PutCondition.ConditionCase.LEASE_ID)) {
      return Optional.empty();
    }
    UUID lease = UUID.fromString(item.condition().getLeaseId());
    return Optional.of(
        leases
            .end(dsl, tenant, item.key().id(), lease)
            .orElseThrow(() -> leasing.lost(tenant, item.key()).with("field", item.field())));
  }

  private void require(
      Item item, Optional<EntryStore.Present> present, DSLContext dsl, UUID tenant) {
    switch (item.condition().getConditionCase()) {
      case LEASE_ID, CONDITION_NOT_SET -> {}
      case IF_ETAG ->
          requireSame(present, it -> Etags.of(it.revision()).equals(item.condition().getIfEtag()));
      case IF_CONTENT_HASH ->
          requireSame(present, it -> it.contentHash().equals(item.condition().getIfContentHash()));
      case IF_ABSENT -> requireNoneUsable(item, dsl, tenant);
    }
  }

  private static void requireSame(
      Optional<EntryStore.Present> present, Predicate<EntryStore.Present> condition) {
    if (present.filter(condition).isEmpty()) {
      ServiceException other =
          ServiceException.of(
              Code.ABORTED,
              ErrorReason.ETAG_MISMATCH,
              "the entry is another than the condition says");
      present.ifPresent(it -> other.with("etag", Etags.of(it.revision())));
      throw other;
    }
  }

  private void requireNoneUsable(Item item, DSLContext dsl, UUID tenant) {
    if (entries.isUsable(dsl, tenant, item.key().id())) {
      throw exists();
    }
  }

  private static ServiceException exists() {
    return ServiceException.of(
        Code.ALREADY_EXISTS, ErrorReason.RESOURCE_EXISTS, "the key has a usable entry");
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
  private static void log(Transaction tx, Written written, Set<UUID> marks) {
    UUID id = written.item().key().id();
    UUID user = written.item().key().user();
    long revision = written.kept().revision();
    Op op = written.kept().isNew() ? Op.CREATED : Op.UPDATED;
    tx.changed(new Change(EntryStore.KIND, op, id, user, revision));
    ByteString checksum = written.item().info().getChecksum();
    boolean same =
        written
            .before()
            .filter(it -> it.checksum().equals(checksum) && it.marks().equals(marks))
            .isPresent();
    if (!same) {
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
