package io.rapport.client;

import io.rapport.platform.v1.Change;
import io.rapport.platform.v1.ChangeFilter;
import io.rapport.platform.v1.WatchRequest;
import io.rapport.platform.v1.WatchResponse;

/** Tells what changes. */
public final class ChangesClient {
  private final WatchConnection.Opener<WatchRequest, WatchResponse> opener;

  ChangesClient(WatchConnection.Opener<WatchRequest, WatchResponse> opener) {
    this.opener = opener;
  }

  /**
   * Watches the changes of the tenant, in the order of its commits. Returns when the service has
   * fixed where it begins: from now, everything that is committed later is told.
   *
   * <pre>{@code
   * try (Watch<Change> watch = rapport.changes().watch(filter, WatchOptions.after(stored))) {
   *   while (watch.hasNext()) {
   *     WatchBatch<Change> batch = watch.next();
   *     batch.items().forEach(this::handle);
   *     store(batch.cursor());
   *   }
   * }
   * }</pre>
   *
   * @throws CursorExpiredException if what comes after the cursor is no longer kept
   * @throws InvalidArgumentException if the filter, or the initial state of a kind, is not taken
   */
  public Watch<Change> watch(ChangeFilter filter, WatchOptions options) {
    return Watch.open(
        opener,
        start ->
            WatchRequest.newBuilder()
                .setFilter(filter)
                .setStart(start)
                .setInitialState(options.initialState())
                .setCheckpointInterval(options.interval())
                .build(),
        message ->
            new WatchBatch<>(
                message.getChangesList(), message.getCursor(), message.getInitialStateDone()),
        options);
  }

  /** Watches all changes of the tenant. */
  public Watch<Change> watch(WatchOptions options) {
    return watch(ChangeFilter.getDefaultInstance(), options);
  }
}
