package io.rapport.bench;

import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.rapport.client.EventWriter;
import io.rapport.client.RapportClient;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.EventServiceGrpc.EventServiceStub;
import io.rapport.tracking.v1.TrackEventRequest;
import io.rapport.tracking.v1.TrackEventResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Keeps so many TrackEvent calls under way, each answered only when its event is committed. An
 * answer starts the next call in the thread that brought it, which is as cheap as a client gets.
 */
final class UnaryLoad implements AutoCloseable {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final List<ManagedChannel> channels = new ArrayList<>();
  private final List<EventServiceStub> stubs = new ArrayList<>();
  private final List<Samples> samples = new ArrayList<>();

  private UnaryLoad() {}

  /**
   * So many channels, shared out among the tenants, each with its own part of the users, who are
   * linked before this returns.
   */
  static UnaryLoad of(Site site, Samples samples, List<Tenants.Tenant> tenants, int channels) {
    UnaryLoad load = new UnaryLoad();
    for (int i = 0; i < tenants.size(); i++) {
      link(site, tenants.get(i), samples.part(i, tenants.size()));
    }
    for (int i = 0; i < channels; i++) {
      load.samples.add(samples.part(i % tenants.size(), tenants.size()));
      Metadata headers = new Metadata();
      headers.put(AUTHORIZATION, "Bearer " + tenants.get(i % tenants.size()).token());
      ManagedChannel channel = site.channel();
      load.channels.add(channel);
      load.stubs.add(
          EventServiceGrpc.newStub(channel)
              .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers)));
    }
    return load;
  }

  private static void link(Site site, Tenants.Tenant tenant, Samples samples) {
    try (RapportClient client = RapportClient.builder(site.target()).token(tenant.token()).build();
        EventWriter writer = client.events().ingest()) {
      samples.oneOfEachUser().forEach(writer::write);
    }
  }

  /** What a load did, how many calls were refused as too many, and latencies in microseconds. */
  record Outcome(long calls, long refused, Histogram latencies) {}

  Outcome run(int inFlight, Duration span) throws InterruptedException {
    Work work = new Work(System.nanoTime() + span.toNanos(), new CountDownLatch(inFlight));
    for (int i = 0; i < inFlight; i++) {
      new Slot(work, i % stubs.size()).next();
    }
    work.open.await();
    Throwable failure = work.failure.get();
    if (failure != null) {
      throw new IllegalStateException("a call failed", failure);
    }
    return new Outcome(work.calls.sum(), work.refused.sum(), work.latencies);
  }

  private static final class Work {
    private final long end;
    private final CountDownLatch open;
    private final LongAdder calls = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private final Histogram latencies = new ConcurrentHistogram(3);
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    private Work(long end, CountDownLatch open) {
      this.end = end;
      this.open = open;
    }
  }

  /** One of the calls under way, again and again. */
  private final class Slot implements StreamObserver<TrackEventResponse> {
    private final Work work;
    private final int channel;
    private long started;

    private Slot(Work work, int channel) {
      this.work = work;
      this.channel = channel;
    }

    private void next() {
      started = System.nanoTime();
      Event event = samples.get(channel).one();
      stubs.get(channel).trackEvent(TrackEventRequest.newBuilder().setEvent(event).build(), this);
    }

    @Override
    public void onNext(TrackEventResponse answer) {
      work.latencies.recordValue((System.nanoTime() - started) / 1_000);
      work.calls.increment();
    }

    @Override
    public void onError(Throwable failure) {
      if (Status.fromThrowable(failure).getCode() == Status.Code.UNAVAILABLE) {
        work.refused.increment();
      } else {
        work.failure.compareAndSet(null, failure);
      }
      onCompleted();
    }

    @Override
    public void onCompleted() {
      if (System.nanoTime() < work.end && work.failure.get() == null) {
        next();
      } else {
        work.open.countDown();
      }
    }
  }

  @Override
  public void close() {
    channels.forEach(ManagedChannel::shutdownNow);
  }
}
