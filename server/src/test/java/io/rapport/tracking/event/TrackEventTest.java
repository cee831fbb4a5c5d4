package io.rapport.tracking.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rapport.client.EventConflictException;
import io.rapport.identity.v1.Identity;
import io.rapport.server.Rapport;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.EventOutcome.Result;
import java.util.UUID;
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

  private static Event.Builder event() {
    return Event.newBuilder()
        .setId(UUID.randomUUID().toString())
        .setEventType("page_view")
        .setIdentity(Identity.newBuilder().setProvider("test").setSubject("ada"));
  }
}
