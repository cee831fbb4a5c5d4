package io.rapport.bench;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisConnectionException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A Redis of its own, which keeps everything in memory and writes nothing to disk. */
final class RedisServer implements AutoCloseable {
  private static final String PROGRAM = "redis-server";
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final int PAUSE_MILLIS = 50;

  private final Child child;
  private final Path directory;
  private final RedisClient client;

  private RedisServer(Child child, Path directory, RedisClient client) {
    this.child = child;
    this.directory = directory;
    this.client = client;
  }

  /** Empty if Redis isn't installed. */
  static Optional<RedisServer> start() throws IOException, InterruptedException {
    Optional<Path> program = program();
    if (program.isEmpty()) {
      return Optional.empty();
    }
    int port = freePort();
    Path directory = Files.createTempDirectory("rapport-redis-");
    ProcessBuilder command =
        new ProcessBuilder(
            program.get().toString(),
            "--bind",
            "127.0.0.1",
            "--port",
            String.valueOf(port),
            "--dir",
            directory.toString(),
            "--save",
            "",
            "--appendonly",
            "no",
            "--logfile",
            directory.resolve("redis.log").toString());
    Child child = Child.start(command.redirectErrorStream(true));
    RedisServer redis =
        new RedisServer(child, directory, RedisClient.create(RedisURI.create("127.0.0.1", port)));
    redis.awaitAnswer();
    return Optional.of(redis);
  }

  private static Optional<Path> program() {
    return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
        .map(place -> Path.of(place, PROGRAM))
        .filter(Files::isExecutable)
        .findFirst();
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void awaitAnswer() throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try (StatefulRedisConnection<byte[], byte[]> connection = connect()) {
        connection.sync().ping();
        return;
      } catch (RedisConnectionException e) {
        if (System.nanoTime() > end) {
          close();
          throw e;
        }
        TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
      }
    }
  }

  StatefulRedisConnection<byte[], byte[]> connect() {
    return client.connect(ByteArrayCodec.INSTANCE);
  }

  @Override
  public void close() {
    client.shutdown(Duration.ZERO, PATIENCE);
    child.close();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
      Files.delete(directory);
    } catch (IOException e) {
      Report.say("  %s is left behind: %s", directory, e);
    }
  }
}
