package io.rapport.server;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;

/** Serves the figures to Prometheus, at {@code /metrics} on a port of its own. */
final class MetricsEndpoint implements AutoCloseable {
  private static final int OK = 200;
  private final HttpServer http;

  MetricsEndpoint(String host, int port, PrometheusMeterRegistry metrics) {
    try {
      http = HttpServer.create(new InetSocketAddress(host, port), 0);
    } catch (IOException e) {
      throw new UncheckedIOException("metrics can't be served on " + host + ":" + port, e);
    }
    http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    http.createContext("/metrics", exchange -> answer(exchange, metrics.scrape()));
    http.start();
  }

  int port() {
    return http.getAddress().getPort();
  }

  private static void answer(HttpExchange exchange, String figures) throws IOException {
    byte[] body = figures.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    exchange.sendResponseHeaders(OK, body.length);
    try (exchange) {
      exchange.getResponseBody().write(body);
    }
  }

  @Override
  public void close() {
    http.stop(0);
  }
}
