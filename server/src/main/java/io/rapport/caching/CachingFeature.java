package io.rapport.caching;

import io.grpc.ServerServiceDefinition;
import io.grpc.Status.Code;
import io.rapport.caching.v1.CacheLifetime;
import io.rapport.caching.v1.CacheLifetimeServiceGrpc;
import io.rapport.identity.UserStore;
import io.rapport.platform.CommitListener;
import io.rapport.platform.NumberSubscriber;
import io.rapport.platform.Rpcs;
import io.rapport.platform.Rules;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.resource.Resources;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.platform.watch.InitialState;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jooq.DSLContext;

/** Builds what belongs to the caches. */
public final class CachingFeature implements AutoCloseable {
  /**
   * How much is kept.
   *
   * @param nearBytes of entries in this server's memory
   * @param bytesPerTenant of values in the database
   */
  public record Limits(long nearBytes, long bytesPerTenant) {}

  private final NearFeed feed;
  private final EntryReader reader;
  private final Waiting waiting;
  private final Usage usage;
  private final CacheSweeper sweeper;
  private final TenantDb db;
  private final UserStore users;
  private final EntryReads reads;
  private final Clock clock;

  /**
   * @param system the database as the system role sees it
   * @param heads the same, for queries of all tenants
   * @param limits how much is kept
   */
  public CachingFeature(
      TenantDb db, TenantDb system, DSLContext heads, UserStore users, Limits limits, Clock clock) {
    this.db = db;
    this.users = users;
    this.clock = clock;
    NearCache near = new NearCache(limits.nearBytes(), System::nanoTime);
    this.feed = new NearFeed(heads, near);
    this.reader = new EntryReader(db, new EntryStore(), near);
    this.waiting = new Waiting(db, new LeaseStore());
    this.usage = new Usage(db, clock);
    this.sweeper = new CacheSweeper(system, limits.bytesPerTenant());
    this.reads = new EntryReads(near, reader, usage, clock);
  }

  /** Marks what entries depend on as it changes. */
  public static NumberSubscriber marks(ChangedDatasets datasets) {
    return new MarkSubscriber(datasets);
  }

  /**
   * Marks what a version of a model computed as out of date, in the transaction that replaces it;
   * the tenant's head must be locked.
   *
   * @param number the commit's
   */
  public void modelSuperseded(
      DSLContext tx, UUID tenant, String modelType, String version, long number, String by) {
    MarkStore marks = new MarkStore();
    String reason = "version " + version + " was replaced";
    marks.mark(tx, tenant, MarkName.ofModel(modelType), number, reason, by);
    marks.mark(tx, tenant, MarkName.ofModelVersion(version), number, reason, by);
  }

  /** The entries and lifetimes that are there. */
  public static List<InitialState> initialStates() {
    return List.of(
        EntryStore.initialState(), Resources.initialState(CacheLifetime.getDefaultInstance()));
  }

  /** Wants to hear of commits. */
  public CommitListener listener() {
    return feed;
  }

  /** Begins to follow what changes. */
  public void start() {
    feed.start();
    waiting.start();
    usage.start();
    sweeper.start();
  }

  /** The services, whose writes are done by {@code work}. */
  public List<ServerServiceDefinition> services(Rpcs rpcs, Rules rules, UnitOfWork work) {
    EntryStore entries = new EntryStore();
    MarkStore marks = new MarkStore();
    LeaseStore leases = new LeaseStore();
    Leasing leasing = new Leasing(db, reads, marks, leases, waiting, this::requireUser, usage);
    PutChecks checks = new PutChecks(new Lifetimes(new LifetimeStore()), this::requireUser, clock);
    Puts puts =
        new Puts(
            entries, marks, checks, new PutConditions(entries, leases, leasing), usage, waiting);
    Caches caches = new Caches(rules, db, entries, reads, leasing, work.shared("put", puts));
    return List.of(
        new Resources(db, work).serve(rpcs, CacheLifetimeServiceGrpc.getServiceDescriptor()),
        new PredictionCacheService(caches).bind(rpcs),
        new AnalysisCacheService(caches).bind(rpcs),
        new CacheService(
                work,
                new Invalidations(entries, marks, leases),
                new Touches(entries, clock),
                leasing,
                new Explanations(db, reads, marks, leases),
                new Warmups(db, reads, entries, leasing, this::requireUser, new WarmupStore()))
            .bind(rpcs));
  }

  private void requireUser(DSLContext dsl, UUID tenant, UUID user) {
    if (users.isKnown(tenant, user)) {
      return;
    }
    Set<UUID> found = users.existing(dsl, tenant, Set.of(user));
    if (found.isEmpty()) {
      throw ServiceException.of(
              Code.NOT_FOUND, ErrorReason.USER_NOT_FOUND, "there is no user with this user_id")
          .with("user_id", user.toString());
    }
    users.remember(tenant, Map.of(), found);
  }

  @Override
  public void close() {
    feed.close();
    waiting.close();
    usage.close();
    sweeper.close();
    reader.close();
  }
}
