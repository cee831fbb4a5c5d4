package io.rapport.caching;

import com.google.protobuf.Duration;
import io.rapport.caching.v1.CacheLifetime;
import io.rapport.caching.v1.CacheStats;
import io.rapport.caching.v1.Dependency;
import io.rapport.caching.v1.EntryExplanation;
import io.rapport.caching.v1.EntryExplanation.Tie;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.EntryUsage;
import io.rapport.caching.v1.InvalidationCause;
import io.rapport.caching.v1.ReadOptions;
import io.rapport.platform.Caller;
import io.rapport.platform.Positions;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Times;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Tells what is known of a key. */
final class Explanations {
  private static final double NANOS_PER_MILLI = 1e6;

  private final TenantDb db;
  private final EntryReads reads;
  private final MarkStore marks;
  private final LeaseStore leases;
  private final UsageStore usage = new UsageStore();

  Explanations(TenantDb db, EntryReads reads, MarkStore marks, LeaseStore leases) {
    this.db = db;
    this.reads = reads;
    this.marks = marks;
    this.leases = leases;
  }

  EntryExplanation explain(Caller.Tenant tenant, EntryKey key) {
    Reading reading = reads.strong(tenant, key, ReadOptions.getDefaultInstance());
    EntryExplanation.Builder explanation = EntryExplanation.newBuilder().setState(reading.state());
    InvalidationCause cause = reading.cause(tenant);
    if (cause != null) {
      explanation.setCause(cause);
    }
    Entry entry = reading.entry();
    if (entry != null) {
      addEntry(explanation, tenant, entry);
    }
    db.read(tenant.id(), dsl -> leases.find(dsl, tenant.id(), key.id()))
        .ifPresent(it -> explanation.setLease(Leasing.proto(it)).setLeaseHolder(it.holder()));
    if (reading.state() != EntryInfo.State.ABSENT) {
      db.read(tenant.id(), dsl -> usage.find(dsl, tenant.id(), key.id()))
          .ifPresent(it -> explanation.setUsage(proto(it)));
    }
    return explanation.build();
  }

  private void addEntry(EntryExplanation.Builder explanation, Caller.Tenant tenant, Entry entry) {
    explanation
        .setInfo(entry.info())
        .setComputedFrom(Positions.encode(tenant, entry.readPosition()));
    Map<String, Dependency> declared =
        entry.info().getDependenciesList().stream()
            .collect(Collectors.toMap(MarkName::of, it -> it, (first, again) -> first));
    UUID id = tenant.id();
    for (MarkStore.Mark mark : db.read(id, dsl -> marks.get(dsl, id, entry.marks()))) {
      explanation.addTies(tie(tenant, entry, mark, declared.get(mark.name())));
    }
  }

  private static Tie tie(
      Caller.Tenant tenant, Entry entry, MarkStore.Mark mark, @Nullable Dependency declared) {
    Dependency dependency = declared == null ? MarkName.dependency(mark.name()) : declared;
    Tie.Builder tie = Tie.newBuilder().setChanged(mark.position() > entry.readPosition());
    if (dependency != null) {
      tie.setDependency(dependency);
    }
    if (mark.changedAt() != null) {
      tie.setPosition(Positions.encode(tenant, mark.position()))
          .setChangedAt(Times.proto(mark.changedAt()));
    }
    if (mark.by() != null) {
      tie.setInvalidatedBy(mark.by()).setReason(mark.reason() == null ? "" : mark.reason());
    }
    return tie.build();
  }

  /** How the tenant's caches do. */
  CacheStats stats(UUID tenant) {
    CacheStats.Builder stats = CacheStats.newBuilder();
    db.read(tenant, dsl -> usage.totals(dsl, tenant)).forEach(it -> stats.addTypes(proto(it)));
    return stats.build();
  }

  private static CacheStats.TypeStats proto(UsageStore.Total total) {
    long reads = total.hits() + total.misses();
    return CacheStats.TypeStats.newBuilder()
        .setCache(CacheLifetime.Cache.valueOf(total.cache()))
        .setEntryType(total.type())
        .setHits(total.hits())
        .setStaleHits(total.staleHits())
        .setMisses(total.misses())
        .setHitRatio(reads == 0 ? 0 : (double) total.hits() / reads)
        .setPuts(total.puts())
        .setLeasesTaken(total.leasesTaken())
        .setLeasesLost(total.leasesLost())
        .setGenerationTime(duration(total.generationMillis()))
        .setGenerationTimeSaved(duration(total.savedMillis()))
        .build();
  }

  private static EntryUsage proto(UsageStore.Used used) {
    return EntryUsage.newBuilder()
        .setHitCount(used.hits())
        .setAccessCount(used.accesses())
        .setLastAccessed(Times.proto(used.last()))
        .setGenerationTimeSaved(duration(used.savedMillis()))
        .build();
  }

  private static Duration duration(double millis) {
    return Caches.duration((long) (millis * NANOS_PER_MILLI));
  }
}
