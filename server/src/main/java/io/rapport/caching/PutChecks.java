package io.rapport.caching;

import com.google.protobuf.ByteString;
import io.rapport.caching.Puts.Item;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.Question;
import io.rapport.platform.Times;
import java.time.Clock;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jooq.DSLContext;

/** What values must be to be kept. */
final class PutChecks {
  private static final int MAX_VALUE_BYTES = 600 * 1024;
  private static final int MAX_PARAMETERS_BYTES = 16 * 1024;

  private final Lifetimes lifetimes;
  private final People people;
  private final Clock clock;

  PutChecks(Lifetimes lifetimes, People people, Clock clock) {
    this.lifetimes = lifetimes;
    this.people = people;
    this.clock = clock;
  }

  /** Checks for one transaction, which asks once for the lifetime of each type. */
  In in(DSLContext dsl, UUID tenant) {
    return new In(dsl, tenant);
  }

  /** Checks in a transaction. */
  final class In {
    private final DSLContext dsl;
    private final UUID tenant;
    private final Map<Type, Lifetimes.Lifetime> known = new HashMap<>();

    private record Type(String cache, String type) {}

    private In(DSLContext dsl, UUID tenant) {
      this.dsl = dsl;
      this.tenant = tenant;
    }

    /** Refuses what can't be kept, and fills in what was left out. */
    Puts.Call checked(Puts.Call call) {
      return new Puts.Call(call.items().stream().map(this::checked).toList(), call.head());
    }

    private Item checked(Item item) {
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
      setTimes(item, info);
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

    private void setTimes(Item item, EntryInfo.Builder info) {
      long now = Times.micros(clock.instant());
      Lifetimes.Lifetime lifetime =
          info.hasExpiresAt()
              ? Lifetimes.until(Times.micros(info.getExpiresAt()) - now)
              : known.computeIfAbsent(
                  new Type(item.key().cache(), item.key().type()),
                  type -> lifetimes.of(dsl, tenant, item.key()));
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
  }
}
