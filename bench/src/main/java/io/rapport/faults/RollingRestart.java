package io.rapport.faults;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.rapport.bench.Report;
import io.rapport.bench.ServerProcess;
import io.rapport.client.RapportClient;
import io.rapport.client.RapportException;
import io.rapport.tracking.v1.CountEventsRequest;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventServiceGrpc;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * P30: while servers are restarted one after the other, no call fails, and each restart comes to an
 * end: also after a request that was too large, and with a client that doesn't heed GOAWAY. The
 * next server has to wait until callers have found the one before again; gRPC's backoff lets that
 * take about as long as it was away. Control: servers that are killed.
 */
final class RollingRestart implements Promise {
  private static final String ID = "P30";
  private static final String DRAIN_MILLIS = "2000";
  private static final double MOST_SECONDS = 15;
  private static final int CALLERS = 8;
  private static final long PAUSE = 40;
  private static final long DEADLINE = 5000;
  private static final long SETTLE = 1000;

  @Override
  public List<Verdict> test(Run run) throws Exception {
    try (Victim victim = Victim.open()) {
      victim.set("RAPPORT_DRAIN_MS", DRAIN_MILLIS);
      UUID tenant = victim.newTenant();
      List<ServerProcess> servers = new ArrayList<>(List.of(victim.another(), victim.another()));
      try {
        return List.of(
            gracefully(victim, servers, tenant, run.pick(1, 4)), killed(victim, servers, tenant));
      } finally {
        servers.forEach(ServerProcess::kill);
      }
    }
  }

  private static Verdict gracefully(
      Victim victim, List<ServerProcess> servers, UUID tenant, int rounds) throws Exception {
    List<Long> drains = new ArrayList<>();
    Load load = new Load(victim, servers, tenant);
    Threads.sleep(SETTLE);
    for (int round = 0; round < rounds; round++) {
      long start = System.nanoTime();
      drains.add(restart(victim, servers, 0));
      Threads.sleep(Threads.millisSince(start)); // until all have found it again
      int port = servers.get(1).port();
      sendTooMuch(port, victim.token(tenant));
      try (Socket heedless = heedless(port)) {
        drains.add(restart(victim, servers, 1));
        Report.say("  the heedless client was connected: %s", heedless.isConnected());
      }
      Threads.sleep(round == rounds - 1 ? SETTLE : drains.getLast());
    }
    load.end();
    double slowest = drains.stream().mapToLong(it -> it).max().orElse(0) / 1000.0;
    Report.say("  drains in ms: %s; ends: %s", drains, load.ends);
    return Verdict.of(ID)
        .with("restarts", drains.size())
        .with("calls", load.count("sdk"))
        .with("failed_in_flight", load.failed("sdk"))
        .with("bare_calls", load.count("bare"))
        .with("bare_failed", load.failed("bare"))
        .with("drain_s", "%.1f".formatted(slowest))
        .met(load.failed("sdk") + load.failed("bare") == 0 && slowest <= MOST_SECONDS);
  }

  /** Ends a server as a deployment does, and starts another in its place. */
  private static long restart(Victim victim, List<ServerProcess> servers, int which)
      throws IOException {
    ServerProcess old = servers.get(which);
    long start = System.nanoTime();
    old.close();
    long took = Threads.millisSince(start);
    servers.set(which, victim.another(old.port()));
    return took;
  }

  private static void sendTooMuch(int port, String token) {
    ManagedChannel channel = Victim.channel(port);
    Event large =
        Make.event("ada").toBuilder()
            .setDataJson(ByteString.copyFromUtf8("{\"a\":\"" + "x".repeat(60_000) + "\"}"))
            .build();
    Calls.End<?> end =
        new Calls(channel, token, DEADLINE)
            .call(
                EventServiceGrpc.getBatchTrackEventsMethod(),
                Make.batch(Stream.generate(() -> large).limit(200).toList()));
    channel.shutdownNow();
    if (end.status().getCode() != Code.RESOURCE_EXHAUSTED) {
      throw new IllegalStateException("a request that is too large ended so: " + end);
    }
  }

  /** Speaks HTTP/2 as far as it must to be served, and then neither reads nor leaves. */
  private static Socket heedless(int port) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
    OutputStream out = socket.getOutputStream();
    out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    out.write(new byte[] {0, 0, 0, 4, 0, 0, 0, 0, 0}); // SETTINGS, empty
    out.flush();
    return socket;
  }

  private static Verdict killed(Victim victim, List<ServerProcess> servers, UUID tenant)
      throws Exception {
    Load load = new Load(victim, servers, tenant);
    Threads.sleep(SETTLE);
    for (int i = 0; i < servers.size(); i++) {
      ServerProcess old = servers.get(i);
      old.kill();
      servers.set(i, victim.another(old.port()));
    }
    load.end();
    Report.say("  ends: %s", load.ends);
    return Verdict.of(ID)
        .with("kills", servers.size())
        .with("bare_calls", load.count("bare"))
        .with("bare_failed", load.failed("bare"))
        .with("calls", load.count("sdk"))
        .with("failed", load.failed("sdk"))
        .failed(load.failed("bare") > 0);
  }

  /** About 200 calls a second: half of them by the SDK, half bare and never repeated. */
  private static final class Load {
    private final ManagedChannel bareChannel;
    private final ManagedChannel channel;
    private final RapportClient client;
    private final Map<String, Integer> ends = new TreeMap<>();
    private final List<CompletableFuture<Void>> callers = new ArrayList<>();
    private volatile boolean done;

    private Load(Victim victim, List<ServerProcess> servers, UUID tenant) throws Exception {
      List<Integer> ports = servers.stream().map(ServerProcess::port).toList();
      bareChannel = Servers.channel(ports, false);
      channel = Servers.channel(ports, true);
      client = victim.client(ports.getFirst(), tenant).channel(channel).build();
      Calls bare = new Calls(bareChannel, victim.token(tenant), DEADLINE);
      for (int i = 0; i < CALLERS; i++) {
        boolean sdk = i % 2 == 0;
        callers.add(Threads.start(() -> call(sdk ? "sdk" : "bare", bare)));
      }
    }

    private Boolean call(String who, Calls bare) {
      for (int i = 0; !done; i++) {
        add(who, who.equals("sdk") ? bySdk(i) : byStub(bare, i));
        Threads.sleep(PAUSE);
      }
      return true;
    }

    private String bySdk(int number) {
      try {
        if (number % 2 == 0) {
          client.events().track("fault", Make.identity("ada"));
        } else {
          client.users().get(Make.identity("ada"));
        }
        return "OK";
      } catch (RapportException failure) {
        return String.valueOf(failure.getMessage());
      }
    }

    private static String byStub(Calls bare, int number) {
      Calls.End<?> end =
          number % 2 == 0
              ? bare.call(EventServiceGrpc.getTrackEventMethod(), Make.track(Make.event("ada")))
              : bare.call(
                  EventServiceGrpc.getCountEventsMethod(), CountEventsRequest.getDefaultInstance());
      return end.ok() ? "OK" : end.toString();
    }

    private synchronized void add(String who, String end) {
      ends.merge(who + " " + end, 1, Integer::sum);
    }

    private void end() throws InterruptedException {
      done = true;
      callers.forEach(CompletableFuture::join);
      client.close();
      for (ManagedChannel each : List.of(channel, bareChannel)) {
        each.shutdownNow().awaitTermination(DEADLINE, TimeUnit.MILLISECONDS);
      }
    }

    private synchronized int count(String who) {
      return count(who, "");
    }

    private synchronized int failed(String who) {
      return count(who) - count(who, " OK");
    }

    private int count(String who, String end) {
      return ends.entrySet().stream()
          .filter(it -> it.getKey().startsWith(who + end))
          .mapToInt(Map.Entry::getValue)
          .sum();
    }
  }
}
