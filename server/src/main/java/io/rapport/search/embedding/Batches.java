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
  private static final Duration BROKEN = Duration.ofMinutes(1);
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
      embed(due, embedder, lease, texts);
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

  private void release(Due due, UUID lease) {
    try {
      db.write(due.owner(), tx -> stale.release(tx, due.owner(), due.kind(), lease, List.of()));
    } catch (RuntimeException e) { // the lease ends by itself
      log.debug("a claim can't be given back", Failures.of(e));
    }
  }

  /** If one of several texts is the fault, each is embedded by itself. */
  private void embed(Due due, Embedder embedder, UUID lease, List<ClaimedText> texts) {
    try {
      put(due, texts, vectors(embedder, texts));
    } catch (EmbedderException e) {
      if (!e.isOfTexts()) {
        throw e;
      }
      if (texts.size() > 1) {
        texts.forEach(text -> embed(due, embedder, lease, List.of(text)));
      } else {
        fail(due, lease, texts.getFirst(), String.valueOf(e.getMessage()));
      }
    }
  }

  /** A fault of the embedder's own is taken for one of the texts', so that others go on. */
  private static List<float[]> vectors(Embedder embedder, List<ClaimedText> texts) {
    try {
      return embedder.embed(texts.stream().map(ClaimedText::getText).toList());
    } catch (EmbedderException e) {
      throw e;
    } catch (RuntimeException e) {
      log.warn("an embedder failed", e);
      throw EmbedderException.refused("the embedder failed: " + e.getClass().getSimpleName());
    }
  }

  private void put(Due due, List<ClaimedText> texts, List<float[]> vectors) {
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
    Puts.Texts of = new Puts.Texts(due.owner(), due.kind());
    var results =
        db.write(due.owner(), tx -> puts.put(tx, of, puts.model(tx, of, due.model()).name(), made));
    int written = (int) results.stream().filter(it -> it.getResult() == Result.WRITTEN).count();
    tally.count(due.model(), "written", written);
    tally.count(due.model(), "overtaken", results.size() - written);
  }

  private void fail(Due due, UUID lease, ClaimedText text, String reason) {
    String kept = reason.length() > MAX_REASON ? reason.substring(0, MAX_REASON) : reason;
    Failed failed = new Failed(UUID.fromString(text.getId()), kept, true);
    db.write(
        due.owner(), tx -> stale.fail(tx, due.owner(), due.kind(), lease, List.of(failed), null));
    tally.count(due.model(), "failed", 1);
  }
}
