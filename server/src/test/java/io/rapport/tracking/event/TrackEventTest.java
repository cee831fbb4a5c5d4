package io.rapport.tracking.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.util.concurrent.ListenableFuture;
import io.rapport.client.EventConflictException;
import io.rapport.identity.v1.Identity;
import io.rapport.server.Locks;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.EventOutcome.Result;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.TrackEventRequest;
import io.rapport.tracking.v1.TrackEventResponse;
import java.util.UUID;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class TrackEventTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @Test
  void recordsAnEventOnce() {
    Event event = event().build();

    EventOutcome first = rapport.client().events().track(event);
    EventOutcome second = rapport.client().events().track(event);

    assertThat(first.getResult()).isEqualTo(Result.RECORDED);
    assertThat(second.getResult()).isEqualTo(Result.DUPLICATE);
    assertThat(second.getRecordedAt()).isEqualTo(first.getRecordedAt());
    assertThat(second.getDigest()).isEqualTo(first.getDigest());
  }

  /** As another server's may hold it that makes the same user. */
  @Test
  void outlastsALockThatIsHeldLongerThanAStatementWaits() throws Exception {
    Event event = event().build();
    ListenableFuture<TrackEventResponse> call =
        rapport
            .sql()
            .transactionResult(tx -> {
              tx.dsl()
                  .execute(
                      """
                      INSERT INTO identity.users (tenant_id, id) VALUES ({0}, {0});
                      INSERT INTO identity.identity_links (tenant_id, provider, subject, user_id)
                      VALUES ({0}, 'test', 'ada', {0})
                      """,
                      DSL.val(rapport.tenant()));
              var waiting =
                  EventServiceGrpc.newFutureStub(rapport.channel())
                      .trackEvent(TrackEventRequest.newBuilder().setEvent(event).build());
              new Locks(rapport.sql()).awaitTries(2);
              return waiting;
            });

    assertThat(call.get().getOutcome().getResult()).isEqualTo(Result.RECORDED);
    assertThat(rapport.client().events().get(event.getId()).orElseThrow().getUserId())
        .isEqualTo(rapport.tenant().toString());
  }

  @Test
  void refusesAnotherEventUnderTheSameIdAndNamesBothDigests() {
    Event event = event().build();
    EventOutcome recorded = rapport.client().events().track(event);

    assertThatThrownBy(
            () -> rapport.client().events().track(event.toBuilder().setText("other").build()))
        .isInstanceOfSatisfying(
            EventConflictException.class,
            e -> {
              assertThat(e.metadata().get("recorded_digest")).isEqualTo(recorded.getDigest());
              assertThat(e.metadata().get("sent_digest")).isNotEqualTo(recorded.getDigest());
            });
  }

  @Test
  void judgesWithoutRecordingIfOnlyAskedToCheck() {
    Event event = event().build();

    assertThat(check(event).getResult()).isEqualTo(Result.RECORDED);
    assertThat(check(event).hasRecordedAt()).isFalse();

    assertThat(rapport.client().events().get(event.getId())).isEmpty();
    assertThat(rapport.client().users().get(event.getIdentity())).isEmpty();
  }

  @Test
  void tellsWhatIsRecordedAlreadyIfOnlyAskedToCheck() {
    Event event = event().build();
    EventOutcome recorded = rapport.client().events().track(event);

    assertThat(check(event).getResult()).isEqualTo(Result.DUPLICATE);
    assertThat(check(event).getRecordedAt()).isEqualTo(recorded.getRecordedAt());
    Event other = event.toBuilder().setText("other").build();
    assertThat(Told.by(() -> check(other)).reason()).isEqualTo("EVENT_CONFLICT");
  }

  @Test
  void refusesWhatRecordingWouldRefuseIfOnlyAskedToCheck() {
    Event bad = event().setEventType("").build();
    Event ofNobody = event().clearIdentity().setUserId(UUID.randomUUID().toString()).build();

    assertThat(Told.by(() -> check(bad)).fields()).containsExactly("event.event_type");
    assertThat(Told.by(() -> check(ofNobody)).reason()).isEqualTo("USER_NOT_FOUND");
  }

  private static EventOutcome check(Event event) {
    return EventServiceGrpc.newBlockingStub(rapport.channel())
        .trackEvent(TrackEventRequest.newBuilder().setEvent(event).setValidateOnly(true).build())
        .getOutcome();
  }

  private static Event.Builder event() {
    return Event.newBuilder()
        .setId(UUID.randomUUID().toString())
        .setEventType("page_view")
        .setIdentity(Identity.newBuilder().setProvider("test").setSubject("ada"));
  }
}
