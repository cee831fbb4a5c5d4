package io.rapport.search.embedding;

import io.rapport.search.embedding.KeptModelStore.Part;
import io.rapport.search.embedding.KeptModelStore.Work;
import io.rapport.search.v1.EmbeddingModel.State;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Marks the texts that a model which was started finds, and removes the vectors of one that was
 * retired, a few at a time. What is left to do stands in the database, and every server does it; it
 * does no harm if several do.
 *
 * <p>Whoever writes a text while a model is being started may not see the model. So texts are
 * looked through again when all transactions have ended that may have been under way then.
 */
final class ModelKeeper implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ModelKeeper.class);
  private static final Duration PERIOD = Duration.ofSeconds(1);
  private static final Duration PAUSE = Duration.ofMillis(20);
  private static final int TEXTS = 1000;
  private static final int VECTORS = 200;

  private final DSLContext system;
  private final KeptModelStore store = new KeptModelStore();
  private final Thread thread;

  /** The models that were met, and the transaction that came next then. */
  private final Map<Work, Long> met = new HashMap<>();

  /** Those of which it was told that they can't be kept. */
  private final Set<Work> failed = new HashSet<>();

  private boolean failing;

  /**
   * @param system the database as the system role sees it
   */
  ModelKeeper(DSLContext system) {
    this.system = system;
    this.thread = Thread.ofVirtual().name("embedding-models").unstarted(this::keepOn);
  }

  void start() {
    thread.start();
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void keepOn() {
    try {
      while (true) {
        keepSafely();
        TimeUnit.MILLISECONDS.sleep(PERIOD.toMillis());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void keepSafely() throws InterruptedException {
    try {
      List<Work> works = store.work(system);
      met.keySet().retainAll(works);
      failed.retainAll(works);
      for (Work work : works) {
        keepSafely(work);
      }
      failing = false;
    } catch (RuntimeException e) {
      if (!failing) {
        log.warn("embedding models can't be kept; tried every {} s", PERIOD.toSeconds(), e);
      }
      failing = true;
    }
  }

  /** One that fails leaves the others their turn. */
  private void keepSafely(Work work) throws InterruptedException {
    try {
      if (work.state() == State.RETIRED) {
        remove(work);
      } else {
        fill(work);
      }
      failed.remove(work);
    } catch (RuntimeException e) {
      if (failed.add(work)) {
        log.warn("{} can't be kept; tried every {} s", work, PERIOD.toSeconds(), e);
      }
    }
  }

  private void fill(Work work) throws InterruptedException {
    Long then = met.get(work);
    if (then == null) {
      long next = store.next(system);
      markAll(work);
      met.put(work, next);
    } else if (store.ended(system) >= then) {
      markAll(work);
      store.checked(system, work);
    }
  }

  private void markAll(Work work) throws InterruptedException {
    Optional<UUID> last = Optional.empty();
    while (true) {
      Part part = store.fill(system, work.owner(), work.kind(), work.model(), last, TEXTS);
      if (part.seen() < TEXTS) {
        return;
      }
      last = part.last();
      TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
    }
  }

  /** It is done when nobody is left who may have taken the model for one in use. */
  private void remove(Work work) throws InterruptedException {
    Long then = met.get(work);
    boolean alone = then != null && store.ended(system) >= then;
    if (then == null) {
      met.put(work, store.next(system));
    }
    Optional<UUID> last = store.remove(system, work, Optional.empty(), VECTORS);
    while (last.isPresent()) {
      TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
      last = store.remove(system, work, last, VECTORS);
    }
    while (store.forget(system, work, TEXTS) > 0) {
      TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
    }
    if (alone) {
      store.removed(system, work);
    }
  }
}
