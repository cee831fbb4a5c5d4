package io.rapport.bench;

import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.rapport.client.EventWriter;
import io.rapport.client.RapportClient;
import io.rapport.client.Watch;
import io.rapport.client.WatchOptions;
import io.rapport.platform.v1.Change;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.TrackEventRequest;
import io.rapport.tracking.v1.TrackEventResponse;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * From the answer to an event until a watch tells it, in one process, while 5,000 events a second
 * are recorded one by one, another tenant imports as fast as it can and a transaction stays open.
 */
final class WatchLag implements Ratio {
  private static final int RATE = 5_000;
  private static final double TARGET_MILLIS = 50;
  private static final int MAX_IN_FLIGHT = 2_000;
  private static final Duration LAST = Duration.ofSeconds(30);
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  @Override
  public List<Result> measure(Site site, Samples samples, Settings settings) throws Exception {
    List<Tenants.Tenant> tenants = site.makeTenants(2);
    try (Import importing = new Import(site, samples, tenants.get(1));
        LongWriter _ = new LongWriter(site, tenants.get(0));
        RapportClient client = client(site, tenants.get(0))) {
      try (EventWriter writer = client.events().ingest()) {
        samples.oneOfEachUser().forEach(writer::write);
      }
      List<Double> p99 = new ArrayList<>();
      run(site, samples, tenants.get(0), client, settings.warmUp());
      CpuUse before = site.cpu();
      for (int i = 0; i < settings.pairs(); i++) {
        long imported = importing.count.sum();
        Outcome outcome = run(site, samples, tenants.get(0), client, settings.span());
        Report.say(
            "  run %d: %,d of %,d events told at %,.0f/s, lag p50 %.1f ms, p99 %.1f ms, max %.1f ms;"
                + " imported %,d beside",
            i + 1,
            outcome.told(),
            outcome.sent(),
            outcome.sent() / outcome.seconds(),
            outcome.millis(50),
            outcome.millis(99),
            outcome.millis(100),
            importing.count.sum() - imported);
        if (outcome.told() != outcome.sent()) {
          throw new IllegalStateException("a watch has missed or repeated events");
        }
        p99.add(outcome.millis(99));
      }
      double steal = site.cpu().minus(before).steal();
      return List.of(Result.most("watch_lag", "ms", Spread.of(p99), TARGET_MILLIS, steal));
    }
  }

  private static RapportClient client(Site site, Tenants.Tenant tenant) {
    return RapportClient.builder(site.target()).token(tenant.token()).build();
  }

  private record Outcome(long sent, long told, double seconds, Histogram micros) {
    double millis(double percentile) {
      return micros.getValueAtPercentile(percentile) / 1e3;
    }
  }

  @SuppressWarnings("try") // closed sooner, so that the reader ends
  private static Outcome run(
      Site site, Samples samples, Tenants.Tenant tenant, RapportClient client, Duration span)
      throws InterruptedException {
    Lags lags = new Lags();
    ManagedChannel channel = site.channel();
    try (Watch<Change> watch = client.changes().watch(WatchOptions.fromNow())) {
      Thread reader = Thread.ofPlatform().start(() -> lags.read(watch));
      long begin = System.nanoTime();
      lags.send(stub(channel, tenant), samples, begin + span.toNanos());
      double seconds = (System.nanoTime() - begin) / 1e9;
      lags.await(LAST);
      watch.close();
      reader.join();
      return new Outcome(lags.sent.sum(), lags.told.sum(), seconds, lags.micros);
    } finally {
      channel.shutdownNow();
    }
  }

  private static EventServiceGrpc.EventServiceStub stub(
      ManagedChannel channel, Tenants.Tenant tenant) {
    Metadata headers = new Metadata();
    headers.put(AUTHORIZATION, "Bearer " + tenant.token());
    return EventServiceGrpc.newStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  /** When each event was answered and told; the later of the two knows both. */
  private static final class Lags {
    private final ConcurrentMap<String, Long> half = new ConcurrentHashMap<>();
    private final LongAdder sent = new LongAdder();
    private final LongAdder told = new LongAdder();
    private final AtomicInteger inFlight = new AtomicInteger();
    private final Histogram micros = new ConcurrentHistogram(3);

    private void send(EventServiceGrpc.EventServiceStub stub, Samples samples, long end) {
      long begin = System.nanoTime();
      long due = 0;
      while (System.nanoTime() < end) {
        long at = (System.nanoTime() - begin) * RATE / 1_000_000_000L;
        while (due < at && inFlight.get() < MAX_IN_FLIGHT) {
          due++;
          track(stub, samples.one());
        }
        LockSupport.parkNanos(500_000);
      }
    }

    private void track(EventServiceGrpc.EventServiceStub stub, Event event) {
      inFlight.incrementAndGet();
      stub.trackEvent(
          TrackEventRequest.newBuilder().setEvent(event).build(),
          new StreamObserver<>() {
            @Override
            public void onNext(TrackEventResponse answer) {
              sent.increment();
              Long toldAt = half.put(event.getId(), System.nanoTime());
              if (toldAt != null) {
                micros.recordValue(0); // told before the answer came
              }
            }

            @Override
            public void onError(Throwable refused) {
              inFlight.decrementAndGet();
            }

            @Override
            public void onCompleted() {
              inFlight.decrementAndGet();
            }
          });
    }

    private void read(Watch<Change> watch) {
      while (watch.hasNext()) {
        long now = System.nanoTime();
        for (Change change : watch.next().items()) {
          if (change.getKind().equals("event")) {
            told.increment();
            Long answeredAt = half.put(change.getId(), now);
            if (answeredAt != null) {
              micros.recordValue(Math.max(0, now - answeredAt) / 1_000);
            }
          }
        }
      }
    }

    private void await(Duration most) {
      long end = System.nanoTime() + most.toNanos();
      while ((inFlight.get() > 0 || told.sum() < sent.sum()) && System.nanoTime() < end) {
        LockSupport.parkNanos(5_000_000);
      }
    }
  }

  /** Imports without end. */
  private static final class Import implements AutoCloseable {
    private final LongAdder count = new LongAdder();
    private final Thread thread;
    private volatile boolean ended;

    private Import(Site site, Samples samples, Tenants.Tenant tenant) {
      this.thread =
          Thread.ofPlatform()
              .start(() -> {
                try (RapportClient client = client(site, tenant);
                    EventWriter writer = client.events().ingest()) {
                  while (!ended) {
                    writer.write(samples.one());
                    count.increment();
                  }
                }
              });
    }

    @Override
    public void close() {
      ended = true;
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Holds a transaction open that has written. */
  private static final class LongWriter implements AutoCloseable {
    private final Connection connection;

    private LongWriter(Site site, Tenants.Tenant tenant) throws SQLException {
      connection = site.connectAsMigrator();
      connection.setAutoCommit(false);
      try (Statement statement = connection.createStatement()) {
        statement.execute(
            "INSERT INTO identity.users (tenant_id, id) VALUES ('%s', gen_random_uuid())"
                .formatted(tenant.id()));
      }
    }

    @Override
    public void close() throws SQLException {
      connection.rollback();
      connection.close();
    }
  }
}
