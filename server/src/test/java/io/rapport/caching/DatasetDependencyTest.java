package io.rapport.caching;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.rapport.caching.v1.Dependency;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.OpaqueValue;
import io.rapport.caching.v1.Prediction;
import io.rapport.caching.v1.PredictionKey;
import io.rapport.caching.v1.PredictionValue;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Cached values that were computed from a training dataset. */
class DatasetDependencyTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private PredictionKey key = PredictionKey.getDefaultInstance();

  @BeforeEach
  void put() {
    rapport.client().events().track(Given.eventOf("ada").build());
    key =
        PredictionKey.newBuilder()
            .setUserId(rapport.client().users().get(Given.identity("ada")).orElseThrow().getId())
            .setType(PredictionKey.Type.SPENDING)
            .build();
    putAgain();
  }

  private void putAgain() {
    rapport
        .client()
        .caches()
        .predictions()
        .put(
            Prediction.newBuilder()
                .setKey(key)
                .setValue(
                    PredictionValue.newBuilder()
                        .setOpaque(
                            OpaqueValue.newBuilder()
                                .setMediaType("text/plain")
                                .setData(ByteString.copyFromUtf8("x"))))
                .setInfo(
                    EntryInfo.newBuilder()
                        .addDependencies(Dependency.newBuilder().setDataset("goal")))
                .build());
  }

  private boolean isHit() {
    return rapport.client().caches().predictions().get(key).getHit();
  }

  private static void track(String type) {
    rapport.client().events().track(Given.eventWith("{}").setEventType(type).build());
  }

  @Test
  void isInvalidWhenEventsFeedIt() {
    putAgain(); // its mark is there by now
    track("page_view");
    track("recommendation_interaction");
    assertThat(isHit()).isTrue();

    track("goal_modification");

    assertThat(isHit()).isFalse();
    putAgain();
    assertThat(isHit()).isTrue();
  }

  @Test
  void isInvalidWhenItIsChanged() {
    putAgain();
    var datasets = rapport.client().datasets();
    datasets.update(
        datasets.byType("spending").orElseThrow().toBuilder().setThreshold(7).build(), "threshold");
    assertThat(isHit()).isTrue();

    datasets.update(
        datasets.byType("goal").orElseThrow().toBuilder().setThreshold(7).build(), "threshold");

    assertThat(isHit()).isFalse();
  }
}
