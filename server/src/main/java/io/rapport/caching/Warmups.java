package io.rapport.caching;

import io.rapport.caching.v1.CacheKey;
import io.rapport.caching.v1.ClaimWarmupsRequest;
import io.rapport.caching.v1.ClaimWarmupsResponse;
import io.rapport.caching.v1.ClaimWarmupsResponse.Warmup;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.ReadOptions;
import io.rapport.platform.Caller;
import io.rapport.platform.Ids;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Transaction;
import java.util.List;
import java.util.UUID;

/** Has entries computed before anybody needs them. */
final class Warmups {
  private final TenantDb db;
  private final EntryReads reads;
  private final EntryStore entries;
  private final Leasing leasing;
  private final People people;
  private final WarmupStore store;

  Warmups(
      TenantDb db,
      EntryReads reads,
      EntryStore entries,
      Leasing leasing,
      People people,
      WarmupStore store) {
    this.db = db;
    this.reads = reads;
    this.entries = entries;
    this.leasing = leasing;
    this.people = people;
    this.store = store;
  }

  /** Asks for entries; returns how many are waiting now that weren't. */
  int add(Transaction tx, List<CacheKey> keys) {
    UUID tenant = tx.tenant();
    List<EntryKey> wanted = keys.stream().map(EntryKey::of).distinct().toList();
    wanted.forEach(key -> people.require(tx.dsl(), tenant, key.user()));
    List<EntryKey> missing = wanted.stream().filter(key -> !isFresh(tx, key)).toList();
    return store.add(tx.dsl(), tenant, missing);
  }

  private boolean isFresh(Transaction tx, EntryKey key) {
    return entries
        .find(tx.dsl(), tx.tenant(), key.id())
        .filter(it -> it.state(reads.nowMicros(), "") == EntryInfo.State.FRESH)
        .isPresent();
  }

  /** Hands out what waits, each with a lease. */
  ClaimWarmupsResponse claim(Caller.Tenant tenant, ClaimWarmupsRequest request) {
    ClaimWarmupsResponse.Builder response = ClaimWarmupsResponse.newBuilder();
    UUID id = tenant.id();
    for (EntryKey key : db.read(id, dsl -> store.waiting(dsl, id, request.getLimit()))) {
      Leasing.Answer answer = leasing.tryLease(tenant, wish(key, request));
      if (answer.lease() != null) {
        response.addWarmups(
            Warmup.newBuilder().setKey(key.key()).setLease(Leasing.proto(answer.lease())));
      } else if (answer.reading().state() == EntryInfo.State.FRESH) {
        db.write(
            id,
            tx -> {
              store.remove(tx, id, List.of(key.id()));
              return key;
            });
      }
    }
    return response.build();
  }

  private static Leasing.Request wish(EntryKey key, ClaimWarmupsRequest request) {
    return new Leasing.Request(
        key,
        ReadOptions.getDefaultInstance(),
        List.of(),
        Leasing.time(request.hasLeaseTime(), request.getLeaseTime()),
        null,
        Ids.next(),
        request.getHolder());
  }
}
