package io.rapport.caching;

import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.rapport.caching.v1.AnalysisKey;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.FindSimilarAnalysisRequest;
import io.rapport.caching.v1.PredictionKey;
import io.rapport.caching.v1.ReadOptions;
import io.rapport.platform.Caller;
import io.rapport.platform.Ids;
import io.rapport.platform.MappedReply;
import io.rapport.platform.Reply;
import io.rapport.platform.Rules;
import io.rapport.platform.ServiceException;
import io.rapport.platform.SharedWrites;
import io.rapport.platform.TenantDb;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.platform.Uuids;
import io.rapport.platform.v1.ErrorReason;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What the services of both caches do alike, whatever the type of their values. */
final class Caches {
  private static final long MAX_BATCH_BYTES = 4L * 1024 * 1024 - 256 * 1024;
  private static final long MAX_PAGE_BYTES = 1024 * 1024;
  private static final double SIMILARITY = 0.95;
  private static final int NANOS_PER_SECOND = 1_000_000_000;

  private final TenantDb db;
  private final Rules rules;
  private final EntryStore entries;
  private final QuestionStore questions = new QuestionStore();
  private final EntryReads reads;
  private final Leasing leasing;
  private final SharedWrites<Puts.Call, List<Entry>> puts;

  /** What was found, and the cosine of the angle between the questions. */
  record Similar(Reading reading, double similarity) {}

  /** Entries of a list, and where it goes on. */
  record Page(List<Reading> readings, Optional<byte[]> cursor) {}

  Caches(
      Rules rules,
      TenantDb db,
      EntryStore entries,
      EntryReads reads,
      Leasing leasing,
      SharedWrites<Puts.Call, List<Entry>> puts) {
    this.rules = rules;
    this.db = db;
    this.entries = entries;
    this.reads = reads;
    this.leasing = leasing;
    this.puts = puts;
  }

  void check(Message request) {
    rules.check(request);
  }

  /**
   * The entry of a key out of this server's memory, else null. A key that has an entry keeps the
   * rules, so they needn't be checked, but for the form of its UUID.
   */
  @Nullable Reading near(PredictionKey key) {
    return Uuids.parse(key.getUserId()) == null ? null : near(EntryKey.of(key));
  }

  /** The same. */
  @Nullable Reading near(AnalysisKey key) {
    return Uuids.parse(key.getUserId()) == null ? null : near(EntryKey.of(key));
  }

  private @Nullable Reading near(EntryKey key) {
    return reads.near(Caller.currentTenant(), key, ReadOptions.getDefaultInstance());
  }

  /** Reads entries; never blocks. */
  <R> void read(
      List<EntryKey> keys,
      ReadOptions options,
      Function<List<Reading>, R> response,
      Reply<R> reply) {
    reads.read(Caller.currentTenant(), keys, options, new MappedReply<>(reply, response));
  }

  /** The readings; those beyond what an answer can hold are no hits. */
  static List<Reading> withinBytes(List<Reading> readings) {
    long bytes = 0;
    List<Reading> within = new ArrayList<>(readings.size());
    for (Reading reading : readings) {
      bytes += reading.entry() == null ? 0 : reading.entry().sentBytes();
      within.add(bytes <= MAX_BATCH_BYTES ? reading : new Reading(reading.state(), false, null));
    }
    return within;
  }

  Page list(EntryStore.Listing listing) {
    UUID tenant = Caller.currentTenant().id();
    List<Entry> found =
        db.transaction(tenant, connection -> entries.list(connection, tenant, listing));
    List<Reading> readings = new ArrayList<>();
    long bytes = 0;
    for (Entry entry : found) {
      bytes += entry.sentBytes();
      if (bytes > MAX_PAGE_BYTES && !readings.isEmpty()) {
        break;
      }
      readings.add(Reading.of(entry, reads.nowMicros(), ReadOptions.getDefaultInstance()));
    }
    boolean more = readings.size() < found.size() || found.size() == listing.size();
    return new Page(
        readings, more ? Optional.of(cursor(found.get(readings.size() - 1))) : Optional.empty());
  }

  private static byte[] cursor(Entry entry) {
    return new TimePlace(Times.instant(entry.info().getUpdatedAt()), entry.key().id()).toCursor();
  }

  static @Nullable TimePlace after(Optional<byte[]> cursor) {
    return cursor.map(TimePlace::ofCursor).orElse(null);
  }

  /** The nearest analysis that may be used, if there is one. */
  Similar findSimilar(FindSimilarAnalysisRequest request) {
    Caller.Tenant tenant = Caller.currentTenant();
    if (!Questions.hasDirection(request.getQuestion())) {
      throw ServiceException.invalid(
          "question.embedding", ErrorReason.INVALID_FIELD, Questions.NO_DIRECTION);
    }
    double least = request.getMinSimilarity() == 0 ? SIMILARITY : request.getMinSimilarity();
    Similar best = new Similar(new Reading(EntryInfo.State.ABSENT, false, null), 0);
    for (QuestionStore.Similar near :
        db.read(tenant.id(), dsl -> questions.nearest(dsl, tenant.id(), request, least))) {
      Reading reading = reads.strong(tenant, near.entry(), request.getOptions());
      if (reading.hit() && reading.entry() != null) {
        reads.counted(tenant, reading.entry().key(), reading);
        return new Similar(reading, near.similarity());
      }
      best = best.reading().entry() == null ? new Similar(reading, near.similarity()) : best;
    }
    return best;
  }

  Leasing.Answer getOrLease(Leasing.Request request) {
    return leasing.getOrLease(Caller.currentTenant(), request);
  }

  /** Keeps values: all of them, or none. */
  <A extends Message> A put(
      Message request, Parser<A> answers, List<Puts.Item> items, Function<List<Entry>, A> answer) {
    requireDistinct(items);
    Rules.requireTimes(request);
    Caller.Tenant tenant = Caller.currentTenant();
    boolean leased = items.stream().allMatch(it -> it.condition().hasLeaseId());
    Puts.Call call = new Puts.Call(items, leased ? 0 : reads.head(tenant));
    return puts.write(request, answers, call, answer);
  }

  private static void requireDistinct(List<Puts.Item> items) {
    Set<UUID> seen = new HashSet<>();
    for (Puts.Item item : items) {
      if (!seen.add(item.key().id())) {
        throw ServiceException.invalid(
            item.field() + ".key", ErrorReason.INVALID_FIELD, "is put already");
      }
    }
  }

  static Duration duration(long nanos) {
    return Duration.newBuilder()
        .setSeconds(nanos / NANOS_PER_SECOND)
        .setNanos((int) (nanos % NANOS_PER_SECOND))
        .build();
  }

  static @Nullable UUID uuidOrNull(String text) {
    return text.isEmpty() ? null : UUID.fromString(text);
  }

  /** The id, or a new one. */
  static UUID leaseId(String chosen) {
    return chosen.isEmpty() ? Ids.next() : UUID.fromString(chosen);
  }

  static @Nullable String textOrNull(String text) {
    return text.isEmpty() ? null : text;
  }
}
