package io.rapport.tracking.event;

import static io.rapport.server.Given.event;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.rpc.Code;
import io.rapport.server.Given;
import io.rapport.server.Locks;
import io.rapport.server.Rapport;
import io.rapport.server.Tokens;
import io.rapport.server.Told;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.EventOutcome.Result;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.TrackEventRequest;
import io.rapport.tracking.v1.TrackEventResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Events of several tenants that wait at the same time are recorded in one commit. */
class SharedCommitTest {
  private static final int WRITERS = 4;

  @RegisterExtension static final Rapport rapport = new Rapport();

  private final List<UUID> holding = new ArrayList<>();
  private final List<UUID> tenants = new ArrayList<>();

  @BeforeEach
  void makeTenants() throws Exception {
    Stream.generate(rapport::newTenant).limit(WRITERS).forEach(holding::add);
    Stream.generate(rapport::newTenant).limit(6).forEach(tenants::add);
    for (UUID tenant : List.of(holding, tenants).stream().flatMap(List::stream).toList()) {
      track(tenant, event().build()).get(); // its user is known from now on
    }
  }

  @Test
  void recordsTheSameIdOnceForEachTenant() throws Exception {
    Event event = event().build();

    List<EventOutcome> first = outcomes(whileWritersAreHeld(event));
    List<EventOutcome> second = outcomes(whileWritersAreHeld(event));

    assertThat(first).extracting(EventOutcome::getResult).containsOnly(Result.RECORDED);
    assertThat(first).extracting(EventOutcome::getRecordedAt).as("one commit").hasSize(6);
    assertThat(first.stream().map(EventOutcome::getRecordedAt).distinct()).hasSize(1);
    assertThat(second).extracting(EventOutcome::getResult).containsOnly(Result.DUPLICATE);
    for (UUID tenant : tenants) {
      assertThat(rowsOf(tenant, event)).isOne();
    }
  }

  @Test
  void keepsATenantsFaultFromTheOthers() throws Exception {
    UUID faulty = tenants.get(2);
    Event event = event().build();

    List<ListenableFuture<TrackEventResponse>> calls;
    try (AutoCloseable _ = refuseRowsOf(faulty)) {
      calls = whileWritersAreHeld(event);
      for (int i = 0; i < calls.size(); i++) {
        if (i != 2) {
          assertThat(calls.get(i).get().getOutcome().getResult()).isEqualTo(Result.RECORDED);
        }
      }
      Told told = Told.by(calls.get(2)::get);
      assertThat(told.code()).isNotIn(Code.OK, Code.UNKNOWN);
    }

    for (UUID tenant : tenants) {
      assertThat(rowsOf(tenant, event)).isEqualTo(tenant.equals(faulty) ? 0 : 1);
    }
  }

  /** Sends an event for each of the tenants, all of which wait until a writer is free. */
  private List<ListenableFuture<TrackEventResponse>> whileWritersAreHeld(Event event)
      throws Exception {
    List<ListenableFuture<TrackEventResponse>> held = new ArrayList<>();
    List<ListenableFuture<TrackEventResponse>> calls = new ArrayList<>();
    rapport
        .sql()
        .transaction(tx -> {
          for (UUID tenant : holding) {
            lockProperties(tx.dsl(), tenant);
          }
          for (UUID tenant : holding) {
            held.add(track(tenant, Given.event().build()));
            new Locks(rapport.sql()).awaitWaiting(held.size());
          }
          tenants.forEach(tenant -> calls.add(track(tenant, event)));
          // A call that is answered on the same connection shows that those before it have arrived.
          for (UUID tenant : tenants) {
            refused(tenant);
          }
        });
    for (ListenableFuture<TrackEventResponse> call : held) {
      call.get();
    }
    return calls;
  }

  private static void lockProperties(DSLContext tx, UUID tenant) {
    tx.fetch(
        "SELECT pg_advisory_xact_lock(hashtextextended('tracking.event_properties/' || {0}, 0))",
        DSL.val(tenant.toString()));
  }

  private static void refused(UUID tenant) {
    ListenableFuture<TrackEventResponse> call = track(tenant, Event.getDefaultInstance());
    assertThat(Told.by(call::get).code()).isEqualTo(Code.INVALID_ARGUMENT);
  }

  /** Until closed, PostgreSQL finds fault with the tenant's ids. */
  private static AutoCloseable refuseRowsOf(UUID tenant) {
    rapport
        .sql()
        .execute(
            """
            CREATE FUNCTION tracking.refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE 'refused' USING ERRCODE = '23514', CONSTRAINT = 'ck_test'; END $$
            """);
    rapport
        .sql()
        .execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON tracking.event_ids FOR EACH ROW"
                + " WHEN (NEW.tenant_id = '"
                + tenant
                + "') EXECUTE FUNCTION tracking.refuse()");
    return () -> rapport.sql().execute("DROP FUNCTION tracking.refuse() CASCADE");
  }

  private static ListenableFuture<TrackEventResponse> track(UUID tenant, Event event) {
    return EventServiceGrpc.newFutureStub(
            rapport.channel(rapport.tokens().of(tenant, Tokens.ALL_RIGHTS)))
        .trackEvent(TrackEventRequest.newBuilder().setEvent(event).build());
  }

  private static List<EventOutcome> outcomes(List<ListenableFuture<TrackEventResponse>> calls)
      throws InterruptedException, ExecutionException {
    List<EventOutcome> outcomes = new ArrayList<>();
    for (ListenableFuture<TrackEventResponse> call : calls) {
      outcomes.add(call.get().getOutcome());
    }
    return outcomes;
  }

  private static int rowsOf(UUID tenant, Event event) {
    return rapport
        .sql()
        .fetchSingle(
            "SELECT count(*) FROM tracking.behavioral_events WHERE tenant_id = ? AND id = ?::uuid",
            tenant,
            event.getId())
        .get(0, Integer.class);
  }
}
