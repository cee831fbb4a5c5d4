package io.rapport.search.audit;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toCollection;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Audits from time to time: the searches that were kept and, of each kind, one tenant's rows in
 * turn. It is one audit at a time on one connection, and rests much longer than it works.
 */
final class AuditWorker implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(AuditWorker.class);

  /** How many times as long as an audit took it rests. */
  private static final int REST = 9;

  /** How long it is remembered that there are too few rows for the index to be asked. */
  private static final Duration REMEMBERED = Duration.ofMinutes(5);

  /** How many subjects are looked at in a round. */
  private static final int LOOKS = 500;

  private static final int MOST_SAMPLES = 10;

  private final Auditor auditor;
  private final AuditWorkStore work;
  private final Samples samples;
  private final RecallGauges gauges;
  private final Duration period;
  private final Clock clock;
  private final Thread thread;
  private final Map<Subject, Instant> needless = new HashMap<>();

  /** How far it has looked through what never was audited. */
  private Optional<Subject> looked = Optional.empty();

  private boolean failing;

  /** Searches of the same neighbours count. */
  private record Alike(Subject subject, int neighbours) {}

  /**
   * @param period how often each kind's turn comes
   */
  AuditWorker(
      Auditor auditor,
      AuditWorkStore work,
      Samples samples,
      RecallGauges gauges,
      Duration period,
      Clock clock) {
    this.auditor = auditor;
    this.work = work;
    this.samples = samples;
    this.gauges = gauges;
    this.period = period;
    this.clock = clock;
    this.thread = Thread.ofVirtual().name("recall-audit").unstarted(this::workOn);
  }

  void start() {
    thread.start();
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void workOn() {
    try {
      while (true) {
        TimeUnit.MILLISECONDS.sleep(period.toMillis());
        round();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void round() throws InterruptedException {
    try {
      auditSamples();
      auditStored();
      settle();
      while (work.removeOld()) {
        rest(Duration.ofMillis(20));
      }
      gauges.tell(work.indexes());
      failing = false;
    } catch (RuntimeException e) {
      if (!failing) {
        log.warn("searches can't be audited; tried every {} s", period.toSeconds(), e);
      }
      failing = true;
    }
  }

  /** As many as there is time for; the others are let go. */
  private void auditSamples() throws InterruptedException {
    Map<Alike, List<Sampled>> alike =
        samples.take().stream().collect(groupingBy(it -> new Alike(it.subject(), it.neighbours())));
    List<Map.Entry<Alike, List<Sampled>>> order = new ArrayList<>(alike.entrySet());
    Collections.shuffle(order);
    long begin = System.nanoTime();
    for (Map.Entry<Alike, List<Sampled>> entry : order) {
      if (System.nanoTime() - begin < period.dividedBy(2).toNanos()) {
        Alike of = entry.getKey();
        List<String> vectors =
            entry.getValue().stream().limit(MOST_SAMPLES).map(Sampled::vector).toList();
        Optional<Findings> _ =
            resting(() ->
                tried(
                    of.subject(),
                    () -> auditor.auditSampled(of.subject(), of.neighbours(), vectors)));
      }
    }
  }

  /**
   * Of each kind one tenant's: one that never was audited, or else the one that was least lately.
   */
  private void auditStored() throws InterruptedException {
    Instant now = clock.instant();
    needless.values().removeIf(now::isAfter);
    List<AuditWorkStore.Candidate> audited = work.audited();
    Set<String> done =
        audited.stream()
            .filter(it -> it.wasAuditedWithin(period.dividedBy(2), now)) // by another server
            .map(it -> it.subject().kind())
            .collect(toCollection(HashSet::new));
    List<Subject> candidates = new ArrayList<>(newcomers());
    audited.forEach(it -> candidates.add(it.subject()));
    int looks = 0;
    for (Subject subject : candidates) {
      if (looks < LOOKS && !done.contains(subject.kind()) && !needless.containsKey(subject)) {
        looks++;
        if (resting(() -> tried(subject, () -> auditor.auditStored(subject))).isPresent()) {
          done.add(subject.kind());
        } else {
          needless.putIfAbsent(subject, now.plus(REMEMBERED));
        }
      }
    }
  }

  /** Looks on through what never was audited, for what has rows enough. */
  private List<Subject> newcomers() {
    List<AuditWorkStore.Unaudited> next = work.unaudited(looked, auditor.minRows(), LOOKS);
    looked = next.size() < LOOKS ? Optional.empty() : Optional.of(next.getLast().subject());
    return next.stream()
        .filter(AuditWorkStore.Unaudited::enough)
        .map(AuditWorkStore.Unaudited::subject)
        .toList();
  }

  private void settle() {
    for (Subject subject : work.settled(auditor.minRows())) {
      Optional<Findings> _ =
          tried(
              subject,
              () -> {
                auditor.settle(subject);
                return Optional.empty();
              });
    }
  }

  /**
   * One that fails leaves the others their turn, and is tried again in the round after the next.
   */
  private Optional<Findings> tried(Subject subject, Supplier<Optional<Findings>> audit) {
    try {
      return audit.get();
    } catch (RuntimeException e) {
      log.warn("{} of tenant {} can't be audited", subject.kind(), subject.tenant(), e);
      needless.put(subject, clock.instant().plus(period));
      return Optional.empty();
    }
  }

  private static Optional<Findings> resting(Supplier<Optional<Findings>> audit)
      throws InterruptedException {
    long start = System.nanoTime();
    Optional<Findings> found = audit.get();
    rest(Duration.ofNanos(REST * (System.nanoTime() - start)));
    return found;
  }

  private static void rest(Duration time) throws InterruptedException {
    TimeUnit.NANOSECONDS.sleep(time.toNanos());
  }
}
