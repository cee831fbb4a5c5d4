package io.rapport.client;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.rapport.tracking.v1.Event;
import java.io.IOException;
import java.util.function.BooleanSupplier;

/** A fake service and a client of it. */
final class InProcess implements AutoCloseable {
  final FakeService service = new FakeService();
  final FakeCache cache = new FakeCache();
  final RapportClient client;
  private final Server server;
  private final ManagedChannel channel;

  InProcess() throws IOException {
    String name = InProcessServerBuilder.generateName();
    server =
        InProcessServerBuilder.forName(name)
            .addService(service)
            .addService(cache)
            .addService(cache.leases())
            .build()
            .start();
    channel = InProcessChannelBuilder.forName(name).build();
    client = RapportClient.builder("localhost:0").channel(channel).build();
  }

  ManagedChannel channel() {
    return channel;
  }

  static Event event(int number) {
    return Event.newBuilder().setId(EventIds.next()).setText("event " + number).build();
  }

  /** Waits until something is so; fails after ten seconds. */
  static void until(BooleanSupplier condition) {
    long end = System.nanoTime() + 10_000_000_000L;
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("not so after ten seconds");
      }
      Thread.onSpinWait();
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
    server.shutdownNow();
  }
}
