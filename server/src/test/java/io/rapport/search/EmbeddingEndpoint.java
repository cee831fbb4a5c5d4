package io.rapport.search;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A small server that speaks as OpenAI's embeddings endpoint does, and fails on request. */
public final class EmbeddingEndpoint implements AutoCloseable {
  private static final Pattern INPUT = Pattern.compile("\"input\":\\[(.*)]", Pattern.DOTALL);
  private static final Pattern TEXT = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"");

  private final String model = "remote-" + UUID.randomUUID();
  private final HttpServer server;
  private final AtomicInteger requests = new AtomicInteger();
  private final AtomicInteger texts = new AtomicInteger();
  private final List<String> authorizations = new ArrayList<>();
  private final List<String> bodies = new ArrayList<>();
  private final CountDownLatch free = new CountDownLatch(1);
  private volatile int holdAfter = Integer.MAX_VALUE;
  private volatile int failures;
  private volatile int status;
  private volatile @Nullable String retryAfter;
  private final Map<String, Answer> answers = new ConcurrentHashMap<>();
  private volatile @Nullable String fixedAnswer;

  private interface Answer {
    void send(HttpExchange call) throws IOException;
  }

  public EmbeddingEndpoint() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/v1/embeddings", this::answer);
    server.start();
  }

  public String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/v1";
  }

  public String model() {
    return model;
  }

  /** The next requests get this status. */
  public void answer(int code, @Nullable String after, int times) {
    status = code;
    retryAfter = after;
    failures = times;
  }

  /** All requests get this answer. */
  public void answer(String json) {
    fixedAnswer = json;
  }

  /** Requests with this word get status 400. */
  public void refuse(String word) {
    fail(word, 400);
  }

  /** Requests with this word get this status. */
  public void fail(String word, int code) {
    answers.put(word, call -> send(call, code, "{}"));
  }

  /** Requests with this word get this answer. */
  public void answer(String word, String json) {
    answers.put(word, call -> send(call, 200, json));
  }

  /** Requests with this word get the begin of an answer, and no more until they are let go. */
  public void stall(String word) {
    answers.put(
        word,
        call -> {
          call.sendResponseHeaders(200, 1000);
          call.getResponseBody().write('{');
          call.getResponseBody().flush();
          hold();
          call.close();
        });
  }

  /** What comes after so many texts waits. */
  public void holdAfter(int count) {
    holdAfter = count;
  }

  public void letGo() {
    holdAfter = Integer.MAX_VALUE;
    free.countDown();
  }

  public int requests() {
    return requests.get();
  }

  public int texts() {
    return texts.get();
  }

  public List<String> authorizations() {
    return authorizations;
  }

  public List<String> bodies() {
    return bodies;
  }

  private void answer(HttpExchange call) throws IOException {
    requests.incrementAndGet();
    String body = new String(call.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    synchronized (this) {
      bodies.add(body);
      authorizations.add(String.valueOf(call.getRequestHeaders().getFirst("authorization")));
    }
    Optional<Answer> byWord =
        answers.entrySet().stream()
            .filter(it -> body.contains(it.getKey()))
            .map(Map.Entry::getValue)
            .findFirst();
    if (takeFailure()) {
      if (retryAfter != null) {
        call.getResponseHeaders().add("retry-after", retryAfter);
      }
      send(call, status, "{\"error\":{\"message\":\"secret text\"}}");
    } else if (byWord.isPresent()) {
      byWord.get().send(call);
    } else {
      String fixed = fixedAnswer;
      send(call, 200, fixed == null ? vectors(body) : fixed);
    }
  }

  private synchronized boolean takeFailure() {
    return failures > 0 && failures-- > 0;
  }

  private String vectors(String body) {
    Matcher input = INPUT.matcher(body);
    if (!input.find()) {
      throw new AssertionError(body);
    }
    List<String> found = TEXT.matcher(input.group(1)).results().map(it -> it.group(1)).toList();
    if (texts.get() + found.size() > holdAfter) {
      hold();
    }
    texts.addAndGet(found.size());
    StringBuilder data = new StringBuilder();
    for (int i = found.size() - 1; i >= 0; i--) { // in another order than they were sent
      data.append(data.isEmpty() ? "" : ",")
          .append("{\"object\":\"embedding\",\"embedding\":")
          .append(vector(found.get(i)))
          .append(",\"index\":" + i + "}");
    }
    return "{\"object\":\"list\",\"data\":[" + data + "],\"usage\":{\"total_tokens\":1}}";
  }

  private void hold() {
    try {
      free.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The same for the same text. */
  public static List<Double> vector(String text) {
    Random random = new Random(text.hashCode());
    return random.doubles(8, -1, 1).boxed().toList();
  }

  private static void send(HttpExchange call, int code, String json) throws IOException {
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    call.sendResponseHeaders(code, bytes.length);
    call.getResponseBody().write(bytes);
    call.close();
  }

  @Override
  public void close() {
    letGo();
    server.stop(0);
  }
}
