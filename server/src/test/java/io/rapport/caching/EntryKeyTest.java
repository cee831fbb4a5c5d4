package io.rapport.caching;

import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.caching.v1.AnalysisKey;
import io.rapport.caching.v1.CacheKey;
import io.rapport.caching.v1.PredictionKey;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Different keys have different digests. */
class EntryKeyTest {
  private static final int PAIRS = 1_000_000;
  private static final long SEED = 20_260_504;
  private static final String ADA = "0192f0c1-2a3b-7c4d-8e5f-60718293a4b5";
  private static final String GRACE = "0192f0c1-2a3b-7c4d-8e5f-60718293a4b6";
  private static final List<String> PIECES =
      List.of(
          ":", "a", "b", "ab", "1", "|", "/", "\u0000", "\u0001", "\u0000\u0000\u0000\u0001", "é");

  private static final int PREDICTION_TEXTS = 2;
  private static final int ANALYSIS_TEXTS = 6;

  /** The parts of a key; of a prediction, the type is a number. */
  private record Parts(boolean prediction, String user, int type, List<String> texts) {
    private static Parts random(Random random) {
      boolean prediction = random.nextBoolean();
      List<String> texts = new ArrayList<>();
      for (int i = prediction ? PREDICTION_TEXTS : ANALYSIS_TEXTS; i > 0; i--) {
        texts.add(text(random));
      }
      return new Parts(
          prediction,
          random.nextBoolean() ? ADA : GRACE,
          prediction ? 1 + random.nextInt(3) : 0,
          List.copyOf(texts));
    }

    /** A key that looks much like this one; it may be the same. */
    private Parts neighbour(Random random) {
      return switch (random.nextInt(6)) {
        case 0 -> new Parts(prediction, user.equals(ADA) ? GRACE : ADA, type, texts);
        case 1 -> new Parts(prediction, user, prediction ? 1 + type % 3 : 0, texts);
        case 2 -> ofOtherCache();
        case 3 -> swapped(random);
        case 4 -> shifted(random, "");
        default -> shifted(random, ":");
      };
    }

    private Parts with(List<String> changed) {
      return new Parts(prediction, user, type, List.copyOf(changed));
    }

    private Parts ofOtherCache() {
      List<String> changed = new ArrayList<>(texts);
      while (changed.size() < ANALYSIS_TEXTS) {
        changed.add("");
      }
      return new Parts(
          !prediction,
          user,
          prediction ? 0 : 1,
          List.copyOf(changed.subList(0, prediction ? ANALYSIS_TEXTS : PREDICTION_TEXTS)));
    }

    private Parts swapped(Random random) {
      List<String> changed = new ArrayList<>(texts);
      Collections.swap(changed, random.nextInt(texts.size()), random.nextInt(texts.size()));
      return with(changed);
    }

    /** Two texts that are the same when they are joined, but part elsewhere. */
    private Parts shifted(Random random, String separator) {
      List<String> changed = new ArrayList<>(texts);
      int left = random.nextInt(texts.size() - 1);
      String joined = texts.get(left) + separator + texts.get(left + 1);
      List<Integer> places = new ArrayList<>();
      for (int at = joined.indexOf(separator);
          at >= 0 && at < joined.length();
          at = joined.indexOf(separator, at + 1)) {
        places.add(at);
      }
      if (!places.isEmpty()) {
        int at = places.get(random.nextInt(places.size()));
        changed.set(left, joined.substring(0, at));
        changed.set(left + 1, joined.substring(at + separator.length()));
      }
      return with(changed);
    }

    private CacheKey key() {
      return prediction
          ? CacheKey.newBuilder()
              .setPrediction(
                  PredictionKey.newBuilder()
                      .setUserId(user)
                      .setTypeValue(type)
                      .setName(texts.get(0))
                      .setModelVersion(texts.get(1)))
              .build()
          : CacheKey.newBuilder()
              .setAnalysis(
                  AnalysisKey.newBuilder()
                      .setUserId(user)
                      .setType(texts.get(0))
                      .setProjectId(texts.get(1))
                      .setConversationId(texts.get(2))
                      .setName(texts.get(3))
                      .setDataVersion("v" + texts.get(4))
                      .setModelVersion(texts.get(5)))
              .build();
    }

    private String joined() {
      return prediction + ":" + user + ":" + type + ":" + String.join(":", texts);
    }
  }

  private static String text(Random random) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(4); i > 0; i--) {
      text.append(PIECES.get(random.nextInt(PIECES.size())));
    }
    return text.toString();
  }

  @Test
  void differentKeysHaveDifferentDigests() {
    Random random = new Random(SEED);
    int joinedAlike = 0;
    for (int pairs = 0; pairs < PAIRS; ) {
      Parts one = Parts.random(random);
      Parts other = one.neighbour(random);
      if (other.equals(one)) {
        continue;
      }
      pairs++;
      EntryKey oneKey = EntryKey.of(one.key());
      EntryKey otherKey = EntryKey.of(other.key());
      if (oneKey.id().equals(otherKey.id()) || oneKey.digest().equals(otherKey.digest())) {
        throw new AssertionError(one + " and " + other + " have the same digest");
      }
      joinedAlike += one.joined().equals(other.joined()) ? 1 : 0;
    }
    assertThat(joinedAlike).as("pairs that joining with ':' takes for one").isGreaterThan(10_000);
  }

  @Test
  void theSameKeyHasTheSameDigest() {
    CacheKey key = Parts.random(new Random(SEED)).key();

    assertThat(EntryKey.of(key.toBuilder().build())).isEqualTo(EntryKey.of(key));
  }

  @Test
  void aUserIsTheSameInAnyForm() {
    PredictionKey key =
        PredictionKey.newBuilder().setUserId(ADA).setType(PredictionKey.Type.SPENDING).build();
    PredictionKey capitals = key.toBuilder().setUserId(ADA.toUpperCase(Locale.ROOT)).build();

    assertThat(EntryKey.of(capitals).id()).isEqualTo(EntryKey.of(key).id());
  }

  @Test
  void noDataVersionIsTheFirst() {
    AnalysisKey none = AnalysisKey.newBuilder().setUserId(ADA).setType("a").build();

    assertThat(EntryKey.of(none.toBuilder().setDataVersion("1.0").build()).digest())
        .isEqualTo(EntryKey.of(none).digest());
    assertThat(EntryKey.of(none.toBuilder().setDataVersion("1").build()).digest())
        .isNotEqualTo(EntryKey.of(none).digest());
  }
}
