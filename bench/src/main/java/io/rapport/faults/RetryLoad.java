package io.rapport.faults;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.HandlerRegistry;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status.Code;
import io.grpc.StatusException;
import io.grpc.protobuf.StatusProto;
import io.rapport.client.RapportClient;
import io.rapport.client.RapportException;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.TrackEventRequest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * P12: retries add at most a tenth to the load of a service that is down, and wait as long as it
 * asks for. Control: a client that tries everything three times.
 */
final class RetryLoad implements Promise {
  private static final String ID = "P12";
  private static final int CLIENTS = 4;
  private static final int BLANKET_TRIES = 3;
  private static final double MOST = 1.1;
  private static final int DELAY_MILLIS = 150;
  private static final TrackEventRequest REQUEST = Make.track(Make.event("ada"));

  @Override
  public List<Verdict> test(Run run) throws Exception {
    long millis = run.pick(5_000, 30_000);
    try (Down down = new Down()) {
      Verdict verdict = sdk(down, millis);
      down.arrivals.clear();
      return List.of(verdict, blanket(down, run.pick(200, 2000)));
    }
  }

  private static Verdict sdk(Down down, long millis) throws InterruptedException {
    long early = early(down);
    down.arrivals.clear();
    AtomicLong calls = new AtomicLong();
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < CLIENTS; i++) {
      threads.add(Thread.ofPlatform().start(() -> call(down, end, calls)));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    double ratio = (double) down.arrivals.size() / calls.get();
    return Verdict.of(ID)
        .with("down_ms", millis)
        .with("calls", calls.get())
        .with("attempts", down.arrivals.size())
        .with("attempts_per_call", "%.3f".formatted(ratio))
        .with("retries_before_the_delay", early)
        .met(ratio <= MOST && early == 0);
  }

  private static void call(Down down, long end, AtomicLong calls) {
    try (RapportClient client = down.client()) {
      while (System.nanoTime() < end) {
        calls.incrementAndGet();
        fail(client);
        TimeUnit.MILLISECONDS.sleep(5);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void fail(RapportClient client) {
    try {
      client.events().track("fault", Make.identity("ada"));
    } catch (RapportException expected) {
      return;
    }
  }

  /** How many tries of a single call came sooner than the service had asked for. */
  private static long early(Down down) {
    long early = 0;
    try (RapportClient client = down.client()) {
      fail(client);
    }
    List<Long> arrivals = List.copyOf(down.arrivals);
    for (int i = 1; i < arrivals.size(); i++) {
      long gap = TimeUnit.NANOSECONDS.toMillis(arrivals.get(i) - arrivals.get(i - 1));
      early += gap < DELAY_MILLIS ? 1 : 0;
    }
    return arrivals.size() < 2 ? 1 : early;
  }

  private static Verdict blanket(Down down, int calls) {
    ManagedChannel channel = Victim.channel(down.server.getPort());
    Calls bare = new Calls(channel, "none", DELAY_MILLIS * 10L);
    for (int i = 0; i < calls; i++) {
      for (int tries = 0; tries < BLANKET_TRIES; tries++) {
        if (bare.call(EventServiceGrpc.getTrackEventMethod(), REQUEST).ok()) {
          break;
        }
      }
    }
    channel.shutdownNow();
    double ratio = (double) down.arrivals.size() / calls;
    return Verdict.of(ID)
        .with("calls", calls)
        .with("attempts_per_call", "%.3f".formatted(ratio))
        .failed(ratio > MOST);
  }

  /** A service that answers everything by UNAVAILABLE, and a delay to wait. */
  private static final class Down implements AutoCloseable {
    private final Queue<Long> arrivals = new ConcurrentLinkedQueue<>();
    private final Server server;

    private Down() throws IOException {
      server = ServerBuilder.forPort(0).fallbackHandlerRegistry(new Anything()).build().start();
    }

    RapportClient client() {
      return RapportClient.connect("127.0.0.1:" + server.getPort());
    }

    private static StatusException unavailable() {
      return StatusProto.toStatusException(
          com.google.rpc.Status.newBuilder()
              .setCode(Code.UNAVAILABLE.value())
              .setMessage("down")
              .addDetails(
                  Any.pack(
                      ErrorInfo.newBuilder().setReason("OVERLOADED").setDomain("rapport").build()))
              .addDetails(
                  Any.pack(
                      RetryInfo.newBuilder()
                          .setRetryDelay(
                              com.google.protobuf.Duration.newBuilder()
                                  .setNanos(DELAY_MILLIS * 1_000_000))
                          .build()))
              .build());
    }

    private final class Anything extends HandlerRegistry {
      @Override
      public ServerMethodDefinition<?, ?> lookupMethod(String name, @Nullable String authority) {
        MethodDescriptor<byte[], byte[]> method =
            MethodDescriptor.<byte[], byte[]>newBuilder()
                .setType(MethodType.UNKNOWN)
                .setFullMethodName(name)
                .setRequestMarshaller(new Bytes())
                .setResponseMarshaller(new Bytes())
                .build();
        return ServerMethodDefinition.create(method, (call, headers) -> refuse(call));
      }

      private ServerCall.Listener<byte[]> refuse(ServerCall<byte[], byte[]> call) {
        arrivals.add(System.nanoTime());
        StatusException failure = unavailable();
        Metadata trailers = failure.getTrailers();
        call.close(failure.getStatus(), trailers == null ? new Metadata() : trailers);
        return new ServerCall.Listener<>() {};
      }
    }

    private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
      @Override
      public InputStream stream(byte[] value) {
        return new ByteArrayInputStream(value);
      }

      @Override
      public byte[] parse(InputStream stream) {
        try {
          return stream.readAllBytes();
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }

    @Override
    public void close() {
      server.shutdownNow();
    }
  }
}
