package io.rapport.search.embedder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.Context;
import io.rapport.search.EmbedderException;
import io.rapport.search.EmbeddingEndpoint;
import java.io.IOException;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Speaking to an endpoint, which may fail in many ways. */
@Timeout(60)
class RemoteEmbedderTest {
  private final EmbeddingEndpoint endpoint;

  RemoteEmbedderTest() throws IOException {
    endpoint = new EmbeddingEndpoint();
  }

  private RemoteEmbedder embedder;

  @BeforeEach
  void open() {
    embedder = embedder(endpoint.url() + "/", true, "k-1");
  }

  private RemoteEmbedder embedder(String url, boolean shorten, String key) {
    return new RemoteEmbedder(
        new RemoteModel(
            URI.create(url), endpoint.model(), 8, shorten, key, null, 3, Duration.ofSeconds(2)),
        Clock.systemUTC());
  }

  @AfterEach
  void close() {
    embedder.close();
    endpoint.close();
  }

  private EmbedderException failure(String... texts) {
    return Objects.requireNonNull(
        catchThrowableOfType(EmbedderException.class, () -> embedder.embed(List.of(texts))));
  }

  @Test
  void givesEachTextItsVectorInParts() {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      texts.add("text " + i);
    }

    List<float[]> vectors = embedder.embed(texts);

    assertThat(endpoint.requests()).isEqualTo(3);
    for (int i = 0; i < 7; i++) {
      assertThat(vectors.get(i)).hasSize(1536);
      assertThat(vectors.get(i)[0])
          .isEqualTo(EmbeddingEndpoint.vector(texts.get(i)).get(0).floatValue());
      assertThat(vectors.get(i)[8]).isZero();
    }
    assertThat(endpoint.authorizations()).containsOnly("Bearer k-1");
    assertThat(endpoint.bodies().get(0))
        .contains("\"model\":\"" + endpoint.model() + "\"")
        .contains("\"dimensions\":8");
  }

  @Test
  void sendsNoKeyAndAsksForNoDimensionsUnlessSet() {
    try (RemoteEmbedder plain = embedder(endpoint.url(), false, "")) {
      plain.embed(List.of("a \"quoted\" text\n"));
    }

    assertThat(endpoint.authorizations()).containsExactly("null");
    assertThat(endpoint.bodies().get(0)).doesNotContain("dimensions").contains("\\\"quoted\\\"");
  }

  @Test
  void triesAgainWhatMayPass() {
    endpoint.answer(429, "0", 1);
    assertThat(embedder.embed(List.of("a"))).hasSize(1);
    endpoint.answer(500, null, 2);
    assertThat(embedder.embedInBackground(List.of("a"), 3)).hasSize(1);

    assertThat(endpoint.requests()).isEqualTo(5);
  }

  @Test
  void triesABoundedNumberOfTimes() {
    endpoint.answer(503, "0", 100);

    EmbedderException failure =
        Objects.requireNonNull(
            catchThrowableOfType(
                EmbedderException.class, () -> embedder.embedInBackground(List.of("a"), 4)));

    assertThat(endpoint.requests()).isEqualTo(4);
    assertThat(failure.retryAfter()).isNotNull();
    assertThat(failure.getMessage()).contains("503").doesNotContain("secret");
  }

  @Test
  void triesOnceMoreForACallerWhoWaits() {
    endpoint.answer(503, "0", 100);

    assertThat(failure("a").retryAfter()).isNotNull();
    assertThat(endpoint.requests()).isEqualTo(2);
  }

  @Test
  void givesUpWhenAnAnswerBeginsAndDoesntEnd() {
    endpoint.stall("slow");

    EmbedderException failure = failure("slow");

    assertThat(failure.getMessage()).contains("took longer than 2000 ms");
    assertThat(failure.isUnclear()).isTrue();
  }

  @Test
  void keepsToTheDeadlineOfTheCall() throws Exception {
    endpoint.stall("slow");
    long begin = System.nanoTime();

    ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    try (Context.CancellableContext call =
        Context.current().withDeadlineAfter(300, TimeUnit.MILLISECONDS, timer)) {
      call.run(() -> failure("slow"));
    } finally {
      timer.shutdownNow();
    }

    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofMillis(1500));
    assertThat(endpoint.requests()).isEqualTo(1);
  }

  @Test
  void leavesALongWaitToWhoeverAsked() {
    endpoint.answer(429, "120", 1);

    assertThat(failure("a").retryAfter()).isEqualTo(Duration.ofMinutes(2));
    assertThat(endpoint.requests()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 413, 422})
  void tellsThatATextIsRefused(int status) {
    endpoint.answer(status, null, 1);

    EmbedderException failure = failure("a");
    assertThat(failure.isOfTexts()).isTrue();
    assertThat(failure.retryAfter()).isNull();
    assertThat(endpoint.requests()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {301, 401, 403, 404})
  void tellsThatItIsSetWrongly(int status) {
    endpoint.answer(status, null, 1);

    EmbedderException failure = failure("a");
    assertThat(failure.isOfTexts()).isFalse();
    assertThat(failure.retryAfter()).isNull();
    assertThat(endpoint.requests()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{\"data\":[]}",
        "{\"data\":[{\"index\":0}]}",
        "{\"data\":[{\"index\":1,\"embedding\":[1,2,3,4,5,6,7,8]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1,2,3]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1,2,3,4,5,6,7,8,9]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1,2,3,4,5,6,7,\"8\"]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1,2,3,4,5,6,7,1e99]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"AAAA\"}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1,2,3,4,5,6"
      })
  void refusesAnswersThatAreNone(String answer) {
    endpoint.answer(answer);

    EmbedderException failure = failure("a");
    assertThat(failure.retryAfter()).isNull();
    assertThat(failure.getMessage()).startsWith("the endpoint's answer");
  }

  @Test
  void takesAVectorOfZerosForTheTextsFault() {
    endpoint.answer("{\"data\":[{\"index\":0,\"embedding\":[0,0,0,0,0,0,0,0]}]}");

    assertThat(failure("a").isOfTexts()).isTrue();
  }

  @Test
  void tellsThatNobodyListens() {
    endpoint.close();

    assertThat(failure("a").retryAfter()).isNotNull();
  }
}
