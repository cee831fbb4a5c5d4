package io.rapport.faults;

import com.google.protobuf.ByteString;
import io.rapport.bench.Report;
import io.rapport.client.RapportClient;
import io.rapport.tracking.v1.Event;
import io.rapport.versioning.v1.DatasetSource;
import io.rapport.versioning.v1.TrainingDataset;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CyclicBarrier;

/** Datasets that many writers fill at once: each is to ask for one training when it is full. */
final class CrossedThresholds {
  private static final int WRITERS = 16;
  private static final int AT_ONCE = 20;
  private static final long PATIENCE = 60_000;

  /** Filling is over when every dataset has asked; what asks twice had the time to. */
  private static final String OPENED =
      """
      SELECT model_type, count(*) FROM versioning.model_training_events
       WHERE tenant_id = '%s' GROUP BY model_type
      """;

  private static final String LAST = "last";

  private final Victim victim;
  private final List<Integer> ports;

  CrossedThresholds(Victim victim, List<Integer> ports) {
    this.victim = victim;
    this.ports = ports;
  }

  /** How many of so many thresholds made another number of trainings than one. */
  int wrong(int thresholds) throws Exception {
    int wrong = 0;
    for (int done = 0; done < thresholds; done += AT_ONCE) {
      wrong += wrongOfSome(Math.min(AT_ONCE, thresholds - done));
    }
    Report.say("  %d of %d thresholds made another number than one", wrong, thresholds);
    return wrong;
  }

  private int wrongOfSome(int thresholds) throws Exception {
    UUID tenant = victim.newTenant();
    List<RapportClient> clients = List.of(client(0, tenant), client(1, tenant));
    try {
      for (int i = 0; i < thresholds; i++) {
        clients.getFirst().datasets().create(dataset(i));
      }
      CyclicBarrier start = new CyclicBarrier(WRITERS);
      Threads.each(
          WRITERS,
          number -> {
            Threads.meet(start);
            for (int i = 0; i < thresholds; i++) {
              clients.get(number % clients.size()).events().track(event(i, number));
            }
          });
      String opened = OPENED.formatted(tenant);
      Threads.await(PATIENCE, () -> victim.counts(opened).size() == thresholds);
      awaitAnotherLook(clients.getFirst(), tenant);
      Map<String, Integer> counts = victim.counts(opened);
      counts.remove(LAST);
      return thresholds - (int) counts.values().stream().filter(count -> count == 1).count();
    } finally {
      clients.forEach(RapportClient::close);
    }
  }

  /** A dataset that is full after all others has its training: so all were looked at again. */
  private void awaitAnotherLook(RapportClient client, UUID tenant) throws Exception {
    client.datasets().create(dataset(LAST, 1));
    client.events().track(event(LAST, 0));
    String opened = OPENED.formatted(tenant);
    Threads.await(PATIENCE, () -> victim.counts(opened).containsKey(LAST));
  }

  private RapportClient client(int number, UUID tenant) throws Exception {
    return victim.client(ports.get(number), tenant).build();
  }

  private static TrainingDataset dataset(int number) {
    return dataset("crossed" + number, WRITERS);
  }

  private static TrainingDataset dataset(String type, int threshold) {
    return TrainingDataset.newBuilder()
        .setDatasetType(type)
        .setThreshold(threshold)
        .addSources(DatasetSource.newBuilder().setEventType(type))
        .build();
  }

  private static Event event(int number, int writer) {
    return event("crossed" + number, writer);
  }

  private static Event event(String type, int writer) {
    return Make.event("writer" + writer).toBuilder()
        .setEventType(type)
        .setDataJson(ByteString.copyFromUtf8("{\"amount\":" + writer + "}"))
        .build();
  }
}
