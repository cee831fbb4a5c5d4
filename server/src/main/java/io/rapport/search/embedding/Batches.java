package io.rapport.search.embedding;

import io.rapport.platform.Failures;
import io.rapport.platform.Ids;
import io.rapport.platform.TenantDb;
import io.rapport.search.Embedder;
import io.rapport.search.EmbedderException;
import io.rapport.search.embedding.StaleStore.Failed;
import io.rapport.search.embedding.StaleStore.Wish;
import io.rapport.search.embedding.WorkStore.Due;
import io.rapport.search.v1.ClaimedText;
import io.rapport.search.v1.EmbeddingResult;
import io.rapport.search.v1.EmbeddingResult.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Embeds a few texts at a time: claims them, has vectors made, and writes these. */
final class Batches {
  private static final Logger log = LoggerFactory.getLogger(Batches.class);
  private static final int TEXTS = 32;
  private static final Duration LEASE = Duration.ofMinutes(5);
  private static final Duration PATIENCE = LEASE.minusMinutes(1);
  private static final Duration BROKEN = Duration.ofMinutes(1);
  private static final Duration SOON = Duration.ofSeconds(1);
  private static final int TRIES = 4;
  private static final String SOUND = "a sentence";
  private static final int MAX_REASON = 1000;

  private final TenantDb db;
  private final Tally tally;
  private final StaleStore stale = new StaleStore();
  private final Puts puts = new Puts();

  /** Counts what becomes of texts. */
  @FunctionalInterface
  interface Tally {
    void count(String model, String outcome, int texts);
  }

  /**
   * What was done.
   *
   * @param pause how long the embedder is to be left alone, if it can't work now
   */
  record Done(int texts, Optional<Duration> pause) {}

  Batches(TenantDb db, Tally tally) {
    this.db = db;
    this.tally = tally;
  }

  /** A batch at work, until the lease is about to end. */
  private record Work(Due due, Embedder embedder, UUID lease, long until) {}

  Done embed(Due due, Embedder embedder) {
    UUID lease = Ids.random();
    Wish wish = new Wish(due.kind(), due.model(), TEXTS, lease, LEASE);
    List<ClaimedText> texts =
        db.write(due.owner(), tx -> stale.claim(tx, due.owner(), wish))
            .map(StaleStore.Claim::texts)
            .orElse(List.of());
    if (texts.isEmpty()) {
      return new Done(0, Optional.empty());
    }
    try {
      embed(new Work(due, embedder, lease, System.nanoTime() + PATIENCE.toNanos()), texts, TRIES);
      return new Done(texts.size(), Optional.empty());
    } catch (EmbedderException e) {
      release(due, lease);
      log.warn("the embedder of {} can't work: {}", due.model(), e.getMessage());
      Duration retry = e.retryAfter();
      return new Done(0, Optional.of(retry == null ? BROKEN : retry));
    } catch (RuntimeException e) {
      release(due, lease);
      throw e;
    }
  }

  /** Also by a thread that is told to end, which is no reason for texts to wait. */
  private void release(Due due, UUID lease) {
    boolean interrupted = Thread.interrupted();
    try {
      db.write(
          due.owner(),
          tx -> stale.release(tx, due.owner(), due.kind(), lease, List.of(), Duration.ZERO));
    } catch (RuntimeException e) { // the lease ends by itself
      log.debug("a claim can't be given back", Failures.of(e));
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * If texts may be the fault, they are embedded in smaller parts: whoever sends one that makes a
   * model fail must not keep others from it.
   */
  private void embed(Work work, List<ClaimedText> texts, int tries) {
    if (System.nanoTime() - work.until() > 0) {
      throw EmbedderException.unavailable("a batch took too long", Duration.ofSeconds(1));
    }
    try {
      put(work, texts, vectors(work.embedder(), texts, tries));
    } catch (EmbedderException e) {
      if (!e.isOfTexts()) {
        requireUp(work.embedder(), e);
      }
      int half = texts.size() / 2;
      if (half > 0) {
        embed(work, texts.subList(0, half), 1);
        embed(work, texts.subList(half, texts.size()), 1);
      } else {
        fail(work, texts.getFirst(), String.valueOf(e.getMessage()), e.isOfTexts());
      }
    }
  }

  /** Goes on only if the embedder can work, as a text shows with which nothing is wrong. */
  private static void requireUp(Embedder embedder, EmbedderException failure) {
    if (!failure.isUnclear()) {
      throw failure;
    }
    try {
      embedder.embedInBackground(List.of(SOUND), 1);
    } catch (EmbedderException e) {
      failure.addSuppressed(e);
      throw failure;
    }
  }

  /** A fault of the embedder's own is taken for one of the texts', so that others go on. */
  private static List<float[]> vectors(Embedder embedder, List<ClaimedText> texts, int tries) {
    try {
      return embedder.embedInBackground(texts.stream().map(ClaimedText::getText).toList(), tries);
    } catch (EmbedderException e) {
      throw e;
    } catch (RuntimeException e) {
      log.warn("an embedder failed", e);
      throw EmbedderException.refused("the embedder failed: " + e.getClass().getSimpleName());
    }
  }

  private void put(Work work, List<ClaimedText> texts, List<float[]> vectors) {
    List<VectorStore.Made> made = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      if (!Vectors.isSound(vectors.get(i))) {
        throw EmbedderException.refused("the model made a vector that has no direction");
      }
      ClaimedText text = texts.get(i);
      made.add(
          new VectorStore.Made(
              UUID.fromString(text.getId()), text.getContentHash(), vectors.get(i)));
    }
    Due due = work.due();
    Puts.Texts of = new Puts.Texts(due.owner(), due.kind());
    List<UUID> overtaken =
        db.write(
            due.owner(),
            tx -> {
              var results = puts.put(tx, of, puts.model(tx, of, due.model()).name(), made);
              List<UUID> others = others(made, results);
              if (!others.isEmpty()) {
                stale.release(tx, due.owner(), due.kind(), work.lease(), others, SOON);
              }
              return others;
            });
    tally.count(due.model(), "written", made.size() - overtaken.size());
    tally.count(due.model(), "overtaken", overtaken.size());
  }

  /** Those whose text is another now, or is just being written. */
  private static List<UUID> others(List<VectorStore.Made> made, List<EmbeddingResult> results) {
    List<UUID> others = new ArrayList<>();
    for (int i = 0; i < made.size(); i++) {
      Result result = results.get(i).getResult();
      if (result != Result.WRITTEN && result != Result.UNCHANGED) {
        others.add(made.get(i).id());
      }
    }
    return others;
  }

  private void fail(Work work, ClaimedText text, String reason, boolean permanent) {
    String kept = reason.length() > MAX_REASON ? reason.substring(0, MAX_REASON) : reason;
    Failed failed = new Failed(UUID.fromString(text.getId()), kept, permanent);
    Due due = work.due();
    db.write(
        due.owner(),
        tx -> stale.fail(tx, due.owner(), due.kind(), work.lease(), List.of(failed), null));
    tally.count(due.model(), "failed", 1);
  }
}
