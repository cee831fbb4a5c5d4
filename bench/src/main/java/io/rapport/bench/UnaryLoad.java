package io.rapport.bench;

import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.rapport.client.EventWriter;
import io.rapport.client.RapportClient;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.TrackEventRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Keeps so many TrackEvent calls under way, each answered only when its event is committed. */
final class UnaryLoad implements AutoCloseable {
  private final List<ManagedChannel> channels;
  private final CallLoad load;

  private UnaryLoad(List<ManagedChannel> channels, CallLoad load) {
    this.channels = channels;
    this.load = load;
  }

  /**
   * So many channels, shared out among the tenants, each with its own part of the users, who are
   * linked before this returns.
   */
  static UnaryLoad of(Site site, Samples samples, List<Tenants.Tenant> tenants, int channels) {
    for (int i = 0; i < tenants.size(); i++) {
      link(site, tenants.get(i), samples.part(i, tenants.size()));
    }
    List<ManagedChannel> opened = new ArrayList<>();
    List<Supplier<CallLoad.Call>> calls = new ArrayList<>();
    for (int i = 0; i < channels; i++) {
      ManagedChannel channel = site.channel();
      opened.add(channel);
      Channel own = tenants.get(i % tenants.size()).over(channel);
      Samples part = samples.part(i % tenants.size(), tenants.size());
      calls.add(() -> track(own, part.one()));
    }
    return new UnaryLoad(opened, new CallLoad(calls));
  }

  private static CallLoad.Call track(Channel channel, Event event) {
    return new RpcCall<>(
        channel,
        EventServiceGrpc.getTrackEventMethod(),
        TrackEventRequest.newBuilder().setEvent(event).build(),
        answer -> true);
  }

  private static void link(Site site, Tenants.Tenant tenant, Samples samples) {
    try (RapportClient client = RapportClient.builder(site.target()).token(tenant.token()).build();
        EventWriter writer = client.events().ingest()) {
      samples.oneOfEachUser().forEach(writer::write);
    }
  }

  CallLoad.Outcome run(int inFlight, Duration span) throws InterruptedException {
    return load.run(inFlight, span);
  }

  @Override
  public void close() {
    channels.forEach(ManagedChannel::shutdownNow);
  }
}
