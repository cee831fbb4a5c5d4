package io.rapport.bench;

import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
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
  private final Samples samples;

  private UnaryLoad(Samples samples) {
    this.samples = samples;
  }

  /** So many channels, shared out among the tenants. */
  static UnaryLoad of(Site site, Samples samples, List<Tenants.Tenant> tenants, int channels) {
    UnaryLoad load = new UnaryLoad(samples);
    for (int i = 0; i < channels; i++) {
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

  /** What a load did, and how long its calls took in microseconds. */
  record Outcome(long calls, Histogram latencies) {}

  Outcome run(int inFlight, Duration span) throws InterruptedException {
    Work work = new Work(System.nanoTime() + span.toNanos(), new CountDownLatch(inFlight));
    for (int i = 0; i < inFlight; i++) {
      new Slot(work, stubs.get(i % stubs.size())).next();
    }
    work.open.await();
    Throwable failure = work.failure.get();
    if (failure != null) {
      throw new IllegalStateException("a call failed", failure);
    }
    return new Outcome(work.calls.sum(), work.latencies);
  }

  private TrackEventRequest request() {
    return TrackEventRequest.newBuilder().setEvent(samples.one()).build();
  }

  private static final class Work {
    private final long end;
    private final CountDownLatch open;
    private final LongAdder calls = new LongAdder();
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
    private final EventServiceStub stub;
    private long started;

    private Slot(Work work, EventServiceStub stub) {
      this.work = work;
      this.stub = stub;
    }

    private void next() {
      started = System.nanoTime();
      stub.trackEvent(request(), this);
    }

    @Override
    public void onNext(TrackEventResponse answer) {
      work.latencies.recordValue((System.nanoTime() - started) / 1_000);
      work.calls.increment();
    }

    @Override
    public void onError(Throwable failure) {
      work.failure.compareAndSet(null, failure);
      work.open.countDown();
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
