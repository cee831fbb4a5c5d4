package io.rapport.search.embedder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** The model that comes with the server. */
class LocalEmbedderTest {
  private static final LocalEmbedder embedder = new LocalEmbedder(1);

  @AfterAll
  static void close() {
    embedder.close();
  }

  private static double cosine(float[] a, float[] b) {
    double dot = 0;
    for (int i = 0; i < a.length; i++) {
      dot += (double) a[i] * b[i];
    }
    return dot;
  }

  private static float[] of(String text) {
    return embedder.embed(List.of(text)).get(0);
  }

  @Test
  void findsAParaphraseNearAndAnotherThingFar() {
    List<float[]> vectors =
        embedder.embed(
            List.of(
                "The login page crashes when the password is empty",
                "Signing in without a password makes the site fail",
                "Bake the bread for forty minutes"));

    assertThat(cosine(vectors.get(0), vectors.get(1))).isGreaterThan(0.5);
    assertThat(cosine(vectors.get(0), vectors.get(2))).isLessThan(0.2);
  }

  @Test
  void makesUnitVectorsPaddedWithZeros() {
    float[] vector = of("text");

    assertThat(vector).hasSize(1536);
    assertThat(cosine(vector, vector)).isCloseTo(1, within(1e-5));
    assertThat(vector[383]).isNotZero();
    assertThat(vector[384]).isZero();
  }

  @Test
  void aTextsNeighboursDontChangeIt() {
    assertThat(embedder.embed(List.of("a much longer text than the other one", "text")).get(1))
        .isEqualTo(of("text"));
  }

  @Test
  void readsMoreThanOneWindow() {
    String long254 = "word ".repeat(300);

    assertThat(cosine(of(long254), of(long254 + "bread ".repeat(500)))).isLessThan(0.9);
  }

  @Test
  void takesAnyText() {
    for (String text :
        List.of("", " ", "\u0000", "\uD83D\uDE00", "日本語のテキスト", "é", "x".repeat(32_768))) {
      assertThat(cosine(of(text), of(text))).isCloseTo(1, within(1e-5));
    }
  }

  /** As BERT's own tokenizer cuts them. */
  @Test
  void cutsWordsIntoPieces() {
    WordPieces pieces =
        WordPieces.read(
            LocalEmbedder.class.getResourceAsStream("/all-minilm-l6-v2-q-tokenizer.json"));

    assertThat(pieces.of("Hello, Wörld!", 100)).containsExactly(7592, 1010, 2088, 999);
    assertThat(pieces.of("unaffable", 100))
        .containsExactly(pieces.id("una"), pieces.id("##ffa"), pieces.id("##ble"));
    assertThat(pieces.of("x".repeat(101), 100)).containsExactly(100);
    assertThat(pieces.of("a b c d", 3)).hasSize(3);
  }
}
