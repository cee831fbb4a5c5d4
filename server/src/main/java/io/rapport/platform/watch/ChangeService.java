package io.rapport.platform.watch;

import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Caller;
import io.rapport.platform.Outbox;
import io.rapport.platform.Positions;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Times;
import io.rapport.platform.v1.Change;
import io.rapport.platform.v1.ChangeFilter;
import io.rapport.platform.v1.ChangeServiceGrpc;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.platform.v1.WatchRequest;
import io.rapport.platform.v1.WatchResponse;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;

/** The RPC that tells what changes. */
final class ChangeService {
  private final Watches watches;

  ChangeService(Watches watches) {
    this.watches = watches;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(ChangeServiceGrpc.getServiceDescriptor())
        .streaming(ChangeServiceGrpc.getWatchMethod(), this::watch)
        .build();
  }

  private void watch(WatchRequest request, Outbox<WatchResponse> outbox) {
    ChangeFilter filter = request.getFilter();
    Set<String> kinds = kinds(filter);
    if (request.getInitialState() && kinds.isEmpty()) {
      throw ServiceException.invalid(
          "filter.kinds",
          ErrorReason.INVALID_FIELD,
          "must name kinds, to begin with what is there");
    }
    UUID entity = filter.hasKey() ? UUID.fromString(filter.getKey().getId()) : null;
    WatchPlan plan =
        new WatchPlan(
            new Selection(kinds, null, Set.of(), entity),
            WatchPlan.ids(filter.getUserIdsList()),
            request.getStart(),
            request.getInitialState() ? List.copyOf(kinds) : List.of(),
            WatchPlan.interval(request.hasCheckpointInterval(), request.getCheckpointInterval()));
    watches.run(plan, outbox, new Changes(Caller.currentTenant()));
  }

  private static Set<String> kinds(ChangeFilter filter) {
    Set<String> kinds = new TreeSet<>(filter.getKindsList());
    if (!filter.hasKey()) {
      return kinds;
    }
    String kind = filter.getKey().getKind();
    if (!kinds.isEmpty() && !kinds.contains(kind)) {
      throw ServiceException.invalid(
          "filter.key.kind", ErrorReason.INVALID_FIELD, "must be one of filter.kinds");
    }
    return Set.of(kind);
  }

  /** Tells changes as they stand in the log. */
  private static final class Changes implements Presenter<WatchResponse> {
    private final Caller.Tenant tenant;
    private long lastPosition = -1;
    private String lastText = "";

    private Changes(Caller.Tenant tenant) {
      this.tenant = tenant;
    }

    @Override
    public void present(
        List<LoggedChange> changes,
        Function<LoggedChange, String> cursor,
        Consumer<WatchResponse> out) {
      WatchResponse.Builder message = WatchResponse.newBuilder();
      changes.forEach(change -> message.addChanges(toProto(change)));
      out.accept(message.setCursor(cursor.apply(changes.getLast())).build());
    }

    @Override
    public WatchResponse checkpoint(String cursor, boolean initialStateDone) {
      return WatchResponse.newBuilder()
          .setCursor(cursor)
          .setCheckpoint(true)
          .setInitialStateDone(initialStateDone)
          .build();
    }

    private Change toProto(LoggedChange change) {
      return Change.newBuilder()
          .setKind(change.kind())
          .setOp(Change.Op.valueOf(change.op()))
          .setId(change.entity().toString())
          .setUserId(change.user() == null ? "" : change.user().toString())
          .setRevision(change.revision())
          .setPosition(text(change.place().position()))
          .setChangedAt(Times.proto(change.changedAt()))
          .build();
    }

    /** Many changes are of one commit. */
    private String text(long position) {
      if (position != lastPosition) {
        lastPosition = position;
        lastText = Positions.encode(tenant, position);
      }
      return lastText;
    }
  }
}
