package io.rapport.search.embedder;

import com.google.protobuf.ByteString;
import io.grpc.Context;
import io.grpc.Deadline;
import io.rapport.search.Embedder;
import io.rapport.search.EmbedderException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A model behind an HTTP endpoint that speaks as OpenAI's {@code /v1/embeddings} does. */
final class RemoteEmbedder implements Embedder {
  /** Whoever waits for an answer rather tries again himself. */
  private static final int CALLERS_TRIES = 2;

  private static final Duration FIRST_PAUSE = Duration.ofMillis(250);

  /** Longer pauses are left to whoever asked. */
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

  private static final Duration LATER = Duration.ofSeconds(15);
  private static final Duration LONGEST_WAIT = Duration.ofHours(1);
  private static final int MAX_BYTES = 64 * 1024 * 1024;

  private static final int BAD_REQUEST = 400;
  private static final int REQUEST_TIMEOUT = 408;
  private static final int TOO_LARGE = 413;
  private static final int UNPROCESSABLE = 422;
  private static final int TOO_MANY = 429;
  private static final int SERVER_ERROR = 500;

  private final RemoteModel settings;
  private final Clock clock;
  private final URI endpoint;
  private final HttpClient http;
  private final ExecutorService exchanges = Executors.newVirtualThreadPerTaskExecutor();

  /**
   * What one try came to: an answer, or why there is none and when to try again.
   *
   * @param unclear whether the texts may be the cause
   */
  private record Tried(
      @Nullable ByteString answer, String fault, boolean unclear, Optional<Duration> retryAfter) {
    static Tried nothing(String fault, boolean unclear) {
      return new Tried(null, fault, unclear, Optional.empty());
    }

    EmbedderException toException() {
      Duration later = retryAfter.orElse(LATER);
      return unclear
          ? EmbedderException.failed(fault, later)
          : EmbedderException.unavailable(fault, later);
    }
  }

  /** How often it is tried, and until when. */
  private record Patience(int tries, @Nullable Deadline end) {
    Duration atMost(Duration time) {
      if (end == null) {
        return time;
      }
      Duration left = Duration.ofNanos(end.timeRemaining(TimeUnit.NANOSECONDS));
      return left.compareTo(time) < 0 ? left : time;
    }
  }

  RemoteEmbedder(RemoteModel settings, Clock clock) {
    this.settings = settings;
    this.clock = clock;
    this.endpoint = URI.create(settings.url().toString().replaceAll("/+$", "") + "/embeddings");
    this.http =
        HttpClient.newBuilder()
            .connectTimeout(settings.timeout())
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();
  }

  @Override
  public String model() {
    return settings.model();
  }

  @Override
  public int dimensions() {
    return settings.dimensions();
  }

  @Override
  public List<float[]> embed(List<String> texts) {
    return embed(texts, new Patience(CALLERS_TRIES, Context.current().getDeadline()));
  }

  @Override
  public List<float[]> embedInBackground(List<String> texts, int tries) {
    return embed(texts, new Patience(tries, null));
  }

  private List<float[]> embed(List<String> texts, Patience patience) {
    List<float[]> vectors = new ArrayList<>(texts.size());
    for (int from = 0; from < texts.size(); from += settings.batch()) {
      List<String> batch = texts.subList(from, Math.min(texts.size(), from + settings.batch()));
      vectors.addAll(embedBatch(batch, patience));
    }
    return vectors;
  }

  private List<float[]> embedBatch(List<String> texts, Patience patience) {
    byte[] body = RemoteJson.request(settings, texts);
    Duration pause = FIRST_PAUSE;
    try {
      for (int tries = 1; ; tries++) {
        Tried tried = attempt(body, patience.atMost(settings.timeout()));
        if (tried.answer() != null) {
          return RemoteJson.vectors(
              tried.answer().toByteArray(), texts.size(), settings.dimensions());
        }
        Duration wait = tried.retryAfter().orElse(jittered(pause));
        if (tries >= patience.tries()
            || wait.compareTo(LONGEST_PAUSE) > 0
            || patience.atMost(wait).compareTo(wait) < 0) {
          throw tried.toException();
        }
        TimeUnit.NANOSECONDS.sleep(wait.toNanos());
        pause = pause.multipliedBy(2);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw EmbedderException.unavailable("the call was broken off", Duration.ofSeconds(1));
    }
  }

  private static Duration jittered(Duration pause) {
    return pause.plusMillis(ThreadLocalRandom.current().nextLong(pause.toMillis()));
  }

  /** The time is for all of the answer: that of an {@link HttpRequest} ends with the headers. */
  private Tried attempt(byte[] body, Duration time) throws InterruptedException {
    if (!time.isPositive()) {
      throw EmbedderException.unavailable("the call's time is over", Duration.ofSeconds(1));
    }
    HttpRequest request = request(body, time);
    Future<Tried> exchange = submit(request);
    try {
      return exchange.get(time.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      return Tried.nothing("the endpoint took longer than " + time.toMillis() + " ms", true);
    } catch (ExecutionException e) {
      return switch (e.getCause()) {
        case EmbedderException told -> throw told;
        case ConnectException cut -> Tried.nothing(unreachable(cut), false);
        case HttpConnectTimeoutException cut -> Tried.nothing(unreachable(cut), false);
        case IOException cut -> Tried.nothing(unreachable(cut), true);
        case null, default -> throw new IllegalStateException(e);
      };
    } finally {
      exchange.cancel(true);
    }
  }

  private Future<Tried> submit(HttpRequest request) {
    try {
      return exchanges.submit(() -> exchange(request));
    } catch (RejectedExecutionException e) {
      throw EmbedderException.unavailable("the server is stopping", Duration.ofSeconds(1));
    }
  }

  private static String unreachable(IOException cut) {
    return "the endpoint can't be reached: " + cut.getClass().getSimpleName();
  }

  private HttpRequest request(byte[] body, Duration time) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(endpoint)
            .timeout(time)
            .header("content-type", "application/json")
            .POST(BodyPublishers.ofByteArray(body));
    String key = key();
    return key.isEmpty()
        ? request.build()
        : request.header("authorization", "Bearer " + key).build();
  }

  private Tried exchange(HttpRequest request) throws IOException, InterruptedException {
    HttpResponse<InputStream> response = http.send(request, BodyHandlers.ofInputStream());
    try (InputStream content = response.body()) {
      return response.statusCode() == 200
          ? new Tried(ByteString.copyFrom(read(content)), "", false, Optional.empty())
          : refusal(response);
    }
  }

  private String key() {
    if (settings.keyFile() == null) {
      return settings.key();
    }
    try {
      String key = Files.readString(settings.keyFile()).strip();
      if (key.chars().allMatch(c -> c > ' ' && c <= '~')) {
        return key;
      }
    } catch (IOException e) {
      throw EmbedderException.broken("the file with the key can't be read");
    }
    throw EmbedderException.broken("the file with the key has something else in it");
  }

  private static byte[] read(InputStream content) throws IOException {
    byte[] bytes = content.readNBytes(MAX_BYTES + 1);
    if (bytes.length > MAX_BYTES) {
      throw EmbedderException.broken("the endpoint's answer is larger than 64 MiB");
    }
    return bytes;
  }

  /** Of what the endpoint says only the status is told: the rest may repeat the text. */
  private Tried refusal(HttpResponse<?> response) {
    int status = response.statusCode();
    String fault = "the endpoint answered with status " + status;
    if (status == TOO_MANY || status == REQUEST_TIMEOUT || status >= SERVER_ERROR) {
      Optional<Duration> retryAfter = retryAfter(response);
      boolean unclear = status >= SERVER_ERROR && retryAfter.isEmpty();
      return new Tried(null, fault, unclear, retryAfter);
    }
    if (status == BAD_REQUEST || status == TOO_LARGE || status == UNPROCESSABLE) {
      throw EmbedderException.refused(fault);
    }
    throw EmbedderException.broken(fault);
  }

  /** Seconds, or a date (RFC 9110, 10.2.3). */
  private Optional<Duration> retryAfter(HttpResponse<?> response) {
    return response
        .headers()
        .firstValue("retry-after")
        .flatMap(this::duration)
        .filter(it -> !it.isNegative())
        .map(it -> it.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : it);
  }

  private Optional<Duration> duration(String text) {
    try {
      if (text.strip().matches("\\d{1,9}")) {
        return Optional.of(Duration.ofSeconds(Long.parseLong(text.strip())));
      }
      ZonedDateTime date = ZonedDateTime.parse(text.strip(), DateTimeFormatter.RFC_1123_DATE_TIME);
      return Optional.of(Duration.between(clock.instant(), date.toInstant()));
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }

  @Override
  public void close() {
    exchanges.shutdownNow();
    http.shutdownNow();
  }
}
