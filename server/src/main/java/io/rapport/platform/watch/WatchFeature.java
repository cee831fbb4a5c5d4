package io.rapport.platform.watch;

import io.grpc.ServerServiceDefinition;
import io.rapport.platform.CommitListener;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import java.util.Collection;

/** Builds what belongs to watching. */
public final class WatchFeature implements AutoCloseable {
  private final ChangeFeed feed;
  private final Watches watches;
  private final ChangeService service;

  /**
   * What areas know of that watches ask for.
   *
   * @param initialStates what there is, for kinds that watches can begin with
   */
  public record Areas(People people, EventSource events, Collection<InitialState> initialStates) {}

  /**
   * @param reads how many watches may read the log at a time
   */
  public WatchFeature(TenantDb db, Areas areas, int reads) {
    ChangeLogStore log = new ChangeLogStore();
    ChangeReader reader = new ChangeReader(db, log, areas.events(), areas.people());
    this.feed = new ChangeFeed(db, log, reader, areas.people());
    this.watches = new Watches(db, log, reader, feed, areas.people(), areas.initialStates(), reads);
    this.service = new ChangeService(watches);
  }

  /** Is to be told of commits. */
  public CommitListener listener() {
    return feed;
  }

  public Watches watches() {
    return watches;
  }

  public ServerServiceDefinition service(Rpcs rpcs) {
    return service.bind(rpcs);
  }

  /** Begins to follow the log. */
  public void start() {
    feed.start();
  }

  @Override
  public void close() {
    feed.close();
  }
}
