package io.rapport.versioning.dataset;

import static io.rapport.versioning.dataset.GivenDataset.await;
import static io.rapport.versioning.dataset.GivenDataset.condition;
import static io.rapport.versioning.dataset.GivenDataset.count;
import static io.rapport.versioning.dataset.GivenDataset.dataset;
import static io.rapport.versioning.dataset.GivenDataset.events;
import static io.rapport.versioning.dataset.GivenDataset.source;
import static io.rapport.versioning.dataset.GivenDataset.train;
import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.client.DatasetsClient;
import io.rapport.server.Rapport;
import io.rapport.versioning.v1.TrainingDataset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What still counts after trainings. */
@Timeout(60)
class TrainedCountTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private TrainingDataset made;

  @BeforeEach
  void make() {
    made = datasets().create(dataset(1_000_000).build());
  }

  private static DatasetsClient datasets() {
    return rapport.client().datasets();
  }

  @Test
  void takesOffWhatAManifestHasOnce() {
    track("{}", 100);
    String manifest = freeze();
    train(rapport, "habit", manifest);
    assertThat(counted()).isZero();

    track("{}", 80);
    train(rapport, "habit", manifest);

    assertThat(counted()).isEqualTo(80);
    assertThat(recounted()).isEqualTo(80);
  }

  private static void track(String json, int count) {
    rapport.client().events().batch(events(json, count));
  }

  private String freeze() {
    return datasets().freeze(made.getId()).getId();
  }

  private static long counted() {
    await(rapport.client(), () -> !datasets().byType("habit").orElseThrow().getCounting());
    return count(rapport.client(), "habit");
  }

  /** By other sources and back. */
  private static long recounted() {
    TrainingDataset now = datasets().byType("habit").orElseThrow();
    TrainingDataset without = datasets().update(now.toBuilder().clearSources().build(), "sources");
    assertThat(without.getDataCount()).isZero();
    TrainingDataset again = without.toBuilder().addAllSources(now.getSourcesList()).build();
    return datasets().update(again, "sources").getDataCount();
  }

  @Test
  void takesOffWhatALaterManifestHasBesides() {
    track("{}", 20);
    String older = freeze();
    track("{}", 10);
    String newer = freeze();
    track("{}", 5);

    train(rapport, "habit", older);
    assertThat(counted()).isEqualTo(15);
    train(rapport, "habit", newer);
    assertThat(counted()).isEqualTo(5);
    train(rapport, "habit", older);
    assertThat(counted()).isEqualTo(5);
    assertThat(recounted()).isEqualTo(5);
  }

  @Test
  void takesOffWhatIsOfItsSourcesOnly() {
    track("{\"kind\":\"a\"}", 8);
    track("{\"kind\":\"b\"}", 2);
    String manifest = freeze();
    datasets()
        .update(
            made.toBuilder()
                .clearSources()
                .addSources(source(GivenDataset.TYPE).addConditions(condition("kind", "b")))
                .build(),
            "sources");
    track("{\"kind\":\"b\"}", 3);
    assertThat(counted()).isEqualTo(5);

    train(rapport, "habit", manifest);

    assertThat(counted()).isEqualTo(3);
  }

  @Test
  void takesOffAllIfNobodyKnowsWhatWasTrainedOn() {
    track("{}", 6);
    freeze();
    track("{}", 3);

    train(rapport, "habit", "");

    assertThat(counted()).isZero();
    assertThat(recounted()).isZero();
  }
}
