package io.rapport.search.embedding;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.rapport.platform.TenantDb;
import io.rapport.search.Embedder;
import io.rapport.search.Embedders;
import io.rapport.search.embedding.WorkStore.Due;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jooq.DSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Embeds the texts of all tenants by the models that this server has. In each round every tenant
 * with something to do has one batch of one of its kinds embedded, so none waits for another's
 * many; workers that would be idle take one more. Servers share the work by leases; what one leaves
 * behind is taken up when its lease ends.
 */
final class BackgroundEmbedder implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(BackgroundEmbedder.class);
  private static final Duration PERIOD = Duration.ofSeconds(1);
  private static final Duration CLOSE = Duration.ofSeconds(2);
  private static final Duration COUNT_PERIOD = Duration.ofSeconds(15);

  private final DSLContext system;
  private final Embedders embedders;
  private final Limits limits;
  private final Batches batches;
  private final WorkStore work = new WorkStore();
  private final ExecutorService workers;
  private final Thread thread;
  private final AtomicLong waiting = new AtomicLong();
  private final Map<UUID, String> lastKinds = new HashMap<>();
  private final Map<UUID, Integer> underWay = new ConcurrentHashMap<>();
  private final Semaphore idle;
  private final Map<String, Long> pausedUntil = new ConcurrentHashMap<>();
  private long countedAt = Long.MIN_VALUE;
  private long freeAt = System.nanoTime();
  private boolean failing;

  /**
   * How much it may do.
   *
   * @param workers how many batches at once
   * @param textsPerSecond 0: as many as it can
   */
  record Limits(int workers, int textsPerSecond) {}

  /**
   * @param system the database as the system role sees it
   */
  BackgroundEmbedder(
      TenantDb db, DSLContext system, Embedders embedders, Limits limits, MeterRegistry metrics) {
    this.system = system;
    this.embedders = embedders;
    this.limits = limits;
    this.batches =
        new Batches(
            db,
            (model, outcome, texts) ->
                Counter.builder("rapport.embedding.texts")
                    .description("Texts that this server has tried to embed by itself")
                    .tag("model", model)
                    .tag("outcome", outcome)
                    .register(metrics)
                    .increment(texts));
    this.idle = new Semaphore(limits.workers());
    this.workers =
        Executors.newFixedThreadPool(
            limits.workers(), Thread.ofVirtual().name("embedder-", 0).factory());
    this.thread = Thread.ofVirtual().name("background-embedder").unstarted(this::workOn);
    Gauge.builder("rapport.embedding.waiting", waiting, AtomicLong::get)
        .description("Texts of all tenants that wait for a vector, up to 100,000")
        .register(metrics);
  }

  void start() {
    thread.start();
  }

  @Override
  public void close() {
    thread.interrupt();
    workers.shutdownNow();
    try {
      boolean ended = workers.awaitTermination(CLOSE.toMillis(), TimeUnit.MILLISECONDS);
      if (!ended) {
        log.info("an embedder is still at work; what it has is taken up when its lease ends");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void workOn() {
    try {
      while (!workers.isShutdown()) {
        if (!workSafely()) {
          TimeUnit.MILLISECONDS.sleep(PERIOD.toMillis());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether something was done. */
  private boolean workSafely() throws InterruptedException {
    try {
      count();
      boolean done = workRound();
      failing = false;
      return done;
    } catch (RuntimeException e) {
      if (!failing) {
        log.warn("texts can't be embedded; tried every {} s", PERIOD.toSeconds(), e);
      }
      failing = true;
      return false;
    }
  }

  private void count() {
    if (countedAt == Long.MIN_VALUE || System.nanoTime() - countedAt > COUNT_PERIOD.toNanos()) {
      waiting.set(work.waiting(system));
      countedAt = System.nanoTime();
    }
  }

  private boolean workRound() throws InterruptedException {
    List<Embedder> able = embedders.all().stream().filter(it -> ready(it.model())).toList();
    if (able.isEmpty()) {
      return false;
    }
    Map<UUID, List<Due>> byTenant = new LinkedHashMap<>();
    for (Due due : work.due(system, able)) {
      byTenant.computeIfAbsent(due.owner(), _ -> new ArrayList<>()).add(due);
    }
    lastKinds.keySet().retainAll(byTenant.keySet());
    List<Due> turns = turns(byTenant.values());
    for (Due due : turns) {
      pace();
      idle.acquire();
      begin(due);
    }
    if (!turns.isEmpty()) { // the next round is decided on when somebody can work at it
      idle.acquire();
      idle.release();
    }
    return !turns.isEmpty();
  }

  /**
   * One for each tenant that has none under way; where these are fewer than the idle workers,
   * several. So a batch that takes long, as of an endpoint that doesn't answer, holds up one worker
   * and not the round.
   */
  private List<Due> turns(Collection<List<Due>> tenants) {
    List<Due> turns = new ArrayList<>();
    for (List<Due> dues : tenants) {
      if (!underWay.containsKey(dues.getFirst().owner())) {
        turns.add(next(dues));
      }
    }
    int free = idle.availablePermits();
    while (!tenants.isEmpty() && turns.size() < free) {
      tenants.forEach(dues -> turns.add(next(dues)));
    }
    return turns;
  }

  private void begin(Due due) {
    underWay.merge(due.owner(), 1, Integer::sum);
    workers.execute(() -> {
      try {
        embed(due);
      } finally {
        underWay.computeIfPresent(due.owner(), (_, count) -> count == 1 ? null : count - 1);
        idle.release();
      }
    });
  }

  private boolean ready(String model) {
    Long until = pausedUntil.get(model);
    return until == null || System.nanoTime() - until >= 0;
  }

  /** The kinds of a tenant take turns too. */
  private Due next(List<Due> dues) {
    UUID tenant = dues.getFirst().owner();
    String last = lastKinds.getOrDefault(tenant, "");
    Due next =
        dues.stream()
            .filter(due -> place(due).compareTo(last) > 0)
            .findFirst()
            .orElseGet(dues::getFirst);
    lastKinds.put(tenant, place(next));
    return next;
  }

  private static String place(Due due) {
    return due.kind() + "\n" + due.model();
  }

  private void embed(Due due) {
    Embedder embedder = embedders.find(due.model()).orElseThrow();
    if (!ready(due.model())) {
      return;
    }
    try {
      Batches.Done done = batches.embed(due, embedder);
      spend(done.texts());
      done.pause().ifPresent(pause -> pause(due.model(), pause));
    } catch (RuntimeException e) {
      log.warn("texts of tenant {} can't be embedded; tried again", due.owner(), e);
      pause(due.model(), PERIOD);
    }
  }

  private void pause(String model, Duration time) {
    pausedUntil.put(model, System.nanoTime() + time.toNanos());
  }

  /** So many texts take their time. */
  private synchronized void spend(int texts) {
    if (limits.textsPerSecond() > 0) {
      long begin = Math.max(freeAt, System.nanoTime());
      freeAt = begin + TimeUnit.SECONDS.toNanos(texts) / limits.textsPerSecond();
    }
  }

  private synchronized long untilFree() {
    return limits.textsPerSecond() == 0 ? 0 : freeAt - System.nanoTime();
  }

  private void pace() throws InterruptedException {
    long left = untilFree();
    if (left > 0) {
      TimeUnit.NANOSECONDS.sleep(left);
    }
  }
}
