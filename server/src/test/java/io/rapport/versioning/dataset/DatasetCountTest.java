package io.rapport.versioning.dataset;

import static io.rapport.server.Given.eventWith;
import static io.rapport.versioning.dataset.GivenDataset.await;
import static io.rapport.versioning.dataset.GivenDataset.condition;
import static io.rapport.versioning.dataset.GivenDataset.count;
import static io.rapport.versioning.dataset.GivenDataset.dataset;
import static io.rapport.versioning.dataset.GivenDataset.event;
import static io.rapport.versioning.dataset.GivenDataset.events;
import static io.rapport.versioning.dataset.GivenDataset.source;
import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.client.EventWriter;
import io.rapport.client.RapportClient;
import io.rapport.server.Rapport;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventContract;
import io.rapport.tracking.v1.FieldRule;
import io.rapport.tracking.v1.Release;
import io.rapport.versioning.v1.TrainingDataset;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class DatasetCountTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @Test
  void countsEventsHoweverTheyComeAndEachOnce() {
    RapportClient client = rapport.client();
    client.datasets().create(dataset(1_000_000).build());
    Event one = event("{\"a\":1}");
    List<Event> few = events("{\"a\":1}", 3);
    List<Event> many = events("{\"a\":1}", 500);

    client.events().track(one);
    assertThat(count(client, "habit")).isEqualTo(1);
    client.events().batch(few);
    assertThat(count(client, "habit")).isEqualTo(4);
    client.events().batchAllOrNothing(many);
    assertThat(count(client, "habit")).isEqualTo(504);
    try (EventWriter writer = client.events().ingest()) {
      events("{\"a\":1}", 700).forEach(writer::write);
    }
    assertThat(count(client, "habit")).isEqualTo(1204);

    client.events().track(one);
    client.events().batch(few);
    client.events().batch(many);
    client.events().batch(List.of(few.getFirst(), few.getFirst(), event("{}")));
    client.events().track(eventWith("{\"a\":1}").build());
    assertThat(count(client, "habit")).isEqualTo(1205);
  }

  @Test
  void countsByConditionsOnTheData() {
    RapportClient client = rapport.client();
    List<Event> interactions = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      interactions.add(interaction(List.of("helpful", "not_helpful", "click").get(i % 3)));
    }

    client.events().track(interaction("helpful"));
    client.events().track(interaction("view"));
    client.events().batch(List.of(interaction("not_helpful"), interaction("dismiss")));
    client.events().batch(interactions);
    client.events().track(eventWith("{}").setEventType("goal_modification").build());
    client.events().track(eventWith("{}").setEventType("transaction_creation").build());

    assertThat(count(client, "recommendation")).isEqualTo(304);
    assertThat(count(client, "segmentation")).isEqualTo(202);
    assertThat(count(client, "goal")).isEqualTo(1);
    assertThat(count(client, "spending")).isEqualTo(1);
  }

  private static Event interaction(String type) {
    return eventWith("{\"recommendation_id\":\"r\",\"interaction_type\":\"" + type + "\"}")
        .setEventType("recommendation_interaction")
        .build();
  }

  @Test
  void countsByNestedValuesOfAnyKind() {
    RapportClient client = rapport.client();
    client
        .datasets()
        .create(
            dataset(10)
                .clearSources()
                .addSources(
                    source("sample")
                        .addConditions(condition("a.b", 1, true, "x"))
                        .addConditions(condition("c", "y")))
                .build());

    client.events().track(event("{\"a\":{\"b\":1.0},\"c\":\"y\"}"));
    client.events().track(event("{\"a\":{\"b\":true},\"c\":\"y\"}"));
    client.events().track(event("{\"a\":{\"b\":\"x\"},\"c\":\"y\"}"));
    client.events().track(event("{\"a\":{\"b\":\"1\"},\"c\":\"y\"}"));
    client.events().track(event("{\"a\":{\"b\":1},\"c\":\"z\"}"));
    client.events().track(event("{\"a\":1,\"c\":\"y\"}"));
    client.events().track(event("{}"));

    assertThat(count(client, "habit")).isEqualTo(3);
  }

  @Test
  void countsWhatWasInQuarantineWhenItIsReleased() {
    RapportClient client = rapport.client();
    client.datasets().create(dataset(10).build());
    client
        .contracts()
        .put(
            EventContract.newBuilder()
                .setEventType(GivenDataset.TYPE)
                .setMode(EventContract.Mode.QUARANTINE)
                .addFields(FieldRule.newBuilder().setPath("a").setRequired(true))
                .build());
    Event held = event("{}");
    client.events().track(held);
    assertThat(count(client, "habit")).isZero();

    client.quarantine().release(List.of(Release.newBuilder().setEventId(held.getId()).build()));

    assertThat(count(client, "habit")).isEqualTo(1);
  }

  @Test
  void countsForEachTenantItsOwnWhereTheyShareCommits() throws Exception {
    List<UUID> tenants = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      tenants.add(rapport.newTenant());
    }
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> done = new ArrayList<>();
      for (UUID tenant : tenants) {
        RapportClient client = rapport.clientOf(tenant);
        client.datasets().create(dataset(1_000).build());
        for (int i = 0; i < 10 + tenants.indexOf(tenant); i++) {
          done.add(threads.submit(() -> client.events().track(event("{}"))));
        }
      }
      for (Future<?> it : done) {
        it.get();
      }
    }

    for (UUID tenant : tenants) {
      assertThat(count(rapport.clientOf(tenant), "habit")).isEqualTo(10 + tenants.indexOf(tenant));
    }
  }

  @Test
  void countsWhatIsThereWhenMadeOrFedByOthers() {
    RapportClient client = rapport.client();
    client.events().batch(events("{\"kind\":\"a\"}", 5));
    client.events().track(event("{\"kind\":\"b\"}"));

    TrainingDataset made = client.datasets().create(dataset(5).build());
    assertThat(made.getDataCount()).isEqualTo(6);
    assertThat(made.getThresholdReached()).isTrue();

    TrainingDataset now =
        client
            .datasets()
            .update(
                client.datasets().get(made.getId()).orElseThrow().toBuilder()
                    .clearSources()
                    .addSources(source("sample").addConditions(condition("kind", "b")))
                    .build(),
                "sources");
    assertThat(now.getDataCount()).isEqualTo(1);
    assertThat(now.getThresholdReached()).isFalse();

    client.events().track(event("{\"kind\":\"b\"}"));
    client.events().track(event("{\"kind\":\"a\"}"));
    assertThat(count(client, "habit")).isEqualTo(2);
  }

  /** As after a change of the sources that a commit of events had not seen. */
  @Test
  void countsAnewWhatDoesNotFitItsSources() {
    RapportClient client = rapport.client();
    TrainingDataset made = client.datasets().create(dataset(5).build());
    client.events().batch(events("{}", 4));
    rapport
        .sql()
        .execute(
            "update versioning.dataset_counts set recount = true, data_count = 77"
                + " where tenant_id = ? and dataset_id = ?::uuid",
            rapport.tenant(),
            made.getId());

    client.events().track(event("{}"));

    await(client, () -> !client.datasets().get(made.getId()).orElseThrow().getCounting());
    TrainingDataset after = client.datasets().get(made.getId()).orElseThrow();
    assertThat(after.getDataCount()).isEqualTo(5);
    assertThat(after.getThresholdReached()).isTrue();
  }
}
