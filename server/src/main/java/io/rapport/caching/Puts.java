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
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
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
  private final Leasing.People people;
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
      Leasing.People people,
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
  Item checked(UUID tenant, Item item) {
    people.require(tenant, item.key().user());
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
    setTimes(tenant, item, info);
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
    if (question != null && question.getEmbeddingList().stream().allMatch(it -> it == 0)) {
      throw item.invalid("question.embedding", "must not be all 0");
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

  private void setTimes(UUID tenant, Item item, EntryInfo.Builder info) {
    requireTimes(item, info);
    long now = Times.micros(clock.instant());
    Lifetimes.Lifetime lifetime =
        info.hasExpiresAt()
            ? Lifetimes.until(Times.micros(info.getExpiresAt()) - now)
            : lifetimes.of(tenant, item.key());
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

  private static void requireTimes(Item item, EntryInfo.Builder info) {
    if (!Times.isValid(info.getExpiresAt())) {
      throw item.invalid("info.expires_at", "must be an instant from year 1 to 9999");
    }
    if (!Times.isValid(info.getRefreshAfter())) {
      throw item.invalid("info.refresh_after", "must be an instant from year 1 to 9999");
    }
  }

  /** Keeps a checked value. Several of one transaction must come in the order of their ids. */
  Entry put(Transaction tx, Item item) {
    DSLContext dsl = tx.dsl();
    UUID tenant = tx.tenant();
    long head = marks.head(dsl, tenant);
    Optional<LeaseStore.Held> lease = lease(dsl, tenant, item);
    Optional<EntryStore.Present> present = entries.lock(dsl, tenant, item.key().id());
    require(item, present, dsl, tenant);
    Set<String> names = names(item);
    Map<String, UUID> found = marks.find(dsl, tenant, names);
    Entry entry =
        entry(
            item,
            lease.map(LeaseStore.Held::readPosition).orElse(head),
            withInherited(dsl, tenant, item, found.values()));
    EntryStore.Kept kept = entries.put(dsl, tenant, entry);
    if (present.isEmpty()
        && kept.revision() > 1
        && hasCondition(item, PutCondition.ConditionCase.IF_ABSENT)) {
      throw exists(); // another caller put it at the same time
    }
    if (found.size() < names.size()) {
      Collection<UUID> all = marks.make(dsl, tenant, names).values();
      entries.setMarks(dsl, tenant, item.key().id(), withInherited(dsl, tenant, item, all));
    }
    setQuestion(dsl, tenant, item);
    warmups.remove(dsl, tenant, item.key().id());
    log(tx, item, present, kept.revision());
    return kept(entry, kept);
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
            .orElseThrow(() -> leasing.lost(tenant, item.key())));
  }

  private void require(
      Item item, Optional<EntryStore.Present> present, DSLContext dsl, UUID tenant) {
    switch (item.condition().getConditionCase()) {
      case LEASE_ID, CONDITION_NOT_SET -> {}
      case IF_ETAG ->
          requireSame(
              present
                  .filter(it -> Etags.of(it.revision()).equals(item.condition().getIfEtag()))
                  .isPresent());
      case IF_CONTENT_HASH ->
          requireSame(
              present
                  .filter(it -> it.contentHash().equals(item.condition().getIfContentHash()))
                  .isPresent());
      case IF_ABSENT -> requireNoneUsable(item, dsl, tenant);
    }
  }

  private static void requireSame(boolean same) {
    if (!same) {
      throw ServiceException.of(
          Code.ABORTED, ErrorReason.ETAG_MISMATCH, "the entry is another than the condition says");
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
    Set<String> names = new HashSet<>(MarkName.ofKey(item.key().key()));
    item.info().getDependenciesList().forEach(it -> names.add(MarkName.of(it)));
    return names;
  }

  /** What an entry depends on that this one depends on, this one does too. */
  private List<UUID> withInherited(DSLContext dsl, UUID tenant, Item item, Collection<UUID> own) {
    List<UUID> others =
        item.info().getDependenciesList().stream()
            .filter(Dependency::hasEntry)
            .map(it -> EntryKey.of(it.getEntry()).id())
            .toList();
    Set<UUID> all = new HashSet<>(own);
    if (!others.isEmpty()) {
      all.addAll(entries.marksOf(dsl, tenant, others));
    }
    return List.copyOf(all);
  }

  private static Entry entry(Item item, long readPosition, List<UUID> marks) {
    EntryInfo info = item.info();
    return new Entry(
        item.key(),
        item.value(),
        info,
        readPosition,
        marks,
        null,
        Times.micros(info.getExpiresAt()),
        Times.micros(info.getRefreshAfter()),
        0);
  }

  private static void log(
      Transaction tx, Item item, Optional<EntryStore.Present> before, long revision) {
    UUID id = item.key().id();
    UUID user = item.key().user();
    Op op = before.isPresent() ? Op.UPDATED : Op.CREATED;
    tx.changed(new Change(EntryStore.KIND, op, id, user, revision));
    ByteString checksum = item.info().getChecksum();
    if (before.filter(it -> !it.checksum().equals(checksum)).isPresent()) {
      tx.changed(new Change(EntryStore.VALUE_KIND, Op.UPDATED, id, user, revision));
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
        entry.value(),
        info,
        entry.readPosition(),
        entry.marks(),
        null,
        entry.expiresMicros(),
        entry.refreshMicros(),
        kept.revision());
  }

  /** In the order in which entries are locked. */
  static List<Item> inOrder(List<Item> items) {
    List<Item> sorted = new ArrayList<>(items);
    sorted.sort(Comparator.comparing(item -> item.key().id()));
    return sorted;
  }
}
