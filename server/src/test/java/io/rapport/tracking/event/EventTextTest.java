package io.rapport.tracking.event;

import static io.rapport.server.Given.event;
import static io.rapport.server.Given.eventWith;
import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.client.RapportClient;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventContract;
import io.rapport.tracking.v1.EventContract.Mode;
import io.rapport.tracking.v1.FieldRule;
import io.rapport.tracking.v1.Release;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Texts of events are found by search if the contract of their type names a text. */
class EventTextTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final String NOTE = "note_written";

  private static void put(RapportClient client) {
    client
        .contracts()
        .put(
            EventContract.newBuilder()
                .setEventType(NOTE)
                .setMode(Mode.STAMP)
                .setTextField("note")
                .build());
  }

  private static Event.Builder note(String text) {
    return eventWith("{\"note\":\"" + text + "\"}").setEventType(NOTE);
  }

  private static Map<String, String> documents(UUID tenant) {
    return rapport
        .sql()
        .fetch(
            "SELECT id::text, content FROM search.documents"
                + " WHERE tenant_id = ? AND kind = 'tracking.behavioral_event'",
            tenant)
        .intoMap(row -> row.get(0, String.class), row -> row.get(1, String.class));
  }

  @Test
  void isADocumentOfTheCommit() {
    put(rapport.client());
    Event named = note("  felt good ").build();
    Event own = note("a").setText("mine").build();
    Event blank = note("   ").build();
    Event silent = eventWith("{\"note\":7}").setEventType(NOTE).build();
    Event other = event().setText("of a type that names none").build();

    rapport.client().events().batch(List.of(named, own, blank, silent, other));
    rapport.client().events().track(named);

    assertThat(documents(rapport.tenant()))
        .isEqualTo(Map.of(named.getId(), "felt good", own.getId(), "mine"));
  }

  @Test
  void isADocumentOfALargeBatch() {
    put(rapport.client());
    List<Event> events = new ArrayList<>(Given.events(300));
    for (int i = 0; i < 300; i++) {
      events.add(note("note " + i).build());
    }

    rapport.client().events().batch(events);

    Map<String, String> found = documents(rapport.tenant());
    assertThat(found).hasSize(300);
    assertThat(found).containsEntry(events.getLast().getId(), "note 299");
  }

  @Test
  void isOfItsTenantThoughCommitsAreShared() throws Exception {
    UUID second = rapport.newTenant();
    put(rapport.client());
    try (RapportClient other = rapport.clientOf(second);
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Callable<Object>> writes = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        Event event = note("note " + i).build();
        writes.add(() -> rapport.client().events().track(event));
        writes.add(() -> other.events().track(event));
      }
      for (var written : threads.invokeAll(writes)) {
        written.get();
      }
    }

    assertThat(documents(rapport.tenant())).hasSize(40);
    assertThat(documents(second)).isEmpty();
  }

  @Test
  void isADocumentWhenItLeavesQuarantine() {
    rapport
        .client()
        .contracts()
        .put(
            EventContract.newBuilder()
                .setEventType(NOTE)
                .setMode(Mode.QUARANTINE)
                .setTextField("note")
                .addFields(FieldRule.newBuilder().setPath("mood").setRequired(true))
                .build());
    Event held = note("held back").build();
    rapport.client().events().track(held);
    assertThat(documents(rapport.tenant())).isEmpty();

    rapport
        .client()
        .quarantine()
        .release(List.of(Release.newBuilder().setEventId(held.getId()).build()));

    assertThat(documents(rapport.tenant())).containsOnlyKeys(held.getId());
  }

  @Test
  void goesWithItsEvent() {
    put(rapport.client());
    Event event = note("short lived").build();
    rapport.client().events().batch(List.of(event, note("kept").build()));

    rapport
        .sql()
        .execute(
            "DELETE FROM tracking.behavioral_events WHERE tenant_id = ? AND id = ?::uuid",
            rapport.tenant(),
            event.getId());

    assertThat(documents(rapport.tenant()).values()).containsExactly("kept");
  }
}
