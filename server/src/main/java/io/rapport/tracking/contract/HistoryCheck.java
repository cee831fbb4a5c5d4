package io.rapport.tracking.contract;

import io.grpc.Context;
import io.grpc.Deadline;
import io.rapport.platform.Caller;
import io.rapport.platform.PageTokens;
import io.rapport.platform.TenantDb;
import io.rapport.platform.TimePlace;
import io.rapport.tracking.contract.ContractStore.HistoricEvent;
import io.rapport.tracking.contract.ContractStore.Span;
import io.rapport.tracking.v1.CheckContractRequest;
import io.rapport.tracking.v1.CheckContractResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Judges recorded events by a contract, part by part, for as long as the caller has time. */
final class HistoryCheck {
  /** At 64 KiB an event, 13 MB. */
  private static final int PART = 200;

  private static final int DEFAULT_EVENTS = 100_000;
  private static final int MAX_EVENTS = 1_000_000;
  private static final long MAX_MILLIS = 30_000;
  private static final double SHARE_OF_DEADLINE = 0.8;

  private final TenantDb db;
  private final ContractStore store;
  private final Function<byte[], Map<String, @Nullable Object>> parse;

  /**
   * @param parse reads the data of a recorded event
   */
  HistoryCheck(
      TenantDb db, ContractStore store, Function<byte[], Map<String, @Nullable Object>> parse) {
    this.db = db;
    this.store = store;
    this.parse = parse;
  }

  CheckContractResponse check(CheckContractRequest request, ReadyContract contract, Span span) {
    Caller.Tenant tenant = Caller.currentTenant();
    CheckContractRequest arguments = request.toBuilder().clearPageToken().clearMaxEvents().build();
    TimePlace after =
        PageTokens.decode(tenant, arguments, request.getPageToken())
            .map(TimePlace::ofCursor)
            .orElse(null);
    int most = request.getMaxEvents() == 0 ? DEFAULT_EVENTS : request.getMaxEvents();
    Run run = new Run(tenant.id(), contract, span, Math.min(most, MAX_EVENTS), after);
    TimePlace stopped = run.judge();
    return run.tally
        .toProto()
        .setNextPageToken(
            stopped == null ? "" : PageTokens.encode(tenant, arguments, stopped.toCursor()))
        .build();
  }

  /** One call's way through the events. */
  private final class Run {
    private final UUID tenant;
    private final ReadyContract contract;
    private final Span span;
    private final int most;
    private final ViolationTally tally = new ViolationTally();
    private final long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(patience());
    private @Nullable TimePlace after;

    Run(UUID tenant, ReadyContract contract, Span span, int most, @Nullable TimePlace after) {
      this.tenant = tenant;
      this.contract = contract;
      this.span = span;
      this.most = most;
      this.after = after;
    }

    /** Returns where it stopped; null if there are no more events. */
    @Nullable TimePlace judge() {
      while (true) {
        int size = (int) Math.min(PART, most - tally.checked());
        List<HistoricEvent> part =
            db.read(
                tenant,
                dsl ->
                    store.history(
                        dsl, tenant, contract.contract().getEventType(), span, after, size));
        for (HistoricEvent event : part) {
          tally.add(event.place().id(), contract.violations(data(event)));
          after = event.place();
          if (isOver()) {
            return after;
          }
        }
        if (part.size() < size) {
          return null;
        }
      }
    }

    private boolean isOver() {
      return tally.checked() == most || System.nanoTime() > end;
    }
  }

  private @Nullable Map<String, @Nullable Object> data(HistoricEvent event) {
    String data = event.data();
    return data == null ? null : parse.apply(data.getBytes(StandardCharsets.UTF_8));
  }

  private static long patience() {
    Deadline deadline = Context.current().getDeadline();
    return deadline == null
        ? MAX_MILLIS
        : (long) (deadline.timeRemaining(TimeUnit.MILLISECONDS) * SHARE_OF_DEADLINE);
  }
}
