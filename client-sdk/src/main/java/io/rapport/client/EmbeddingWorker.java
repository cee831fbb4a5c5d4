package io.rapport.client;

import static java.lang.System.Logger.Level.INFO;
import static java.lang.System.Logger.Level.WARNING;

import io.rapport.search.v1.ClaimStaleEmbeddingsRequest;
import io.rapport.search.v1.ClaimStaleEmbeddingsResponse;
import io.rapport.search.v1.ClaimedText;
import io.rapport.search.v1.EmbeddingFailure;
import io.rapport.search.v1.NewEmbedding;
import io.rapport.search.v1.ReleaseEmbeddingClaimRequest;
import io.rapport.search.v1.RenewEmbeddingClaimRequest;
import io.rapport.search.v1.ReportEmbeddingFailuresRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Embeds texts as long as it isn't closed: claims some, has the embedder make their vectors while
 * it keeps the lease, and writes these. A lost connection doesn't stop it. If the embedder refuses
 * a text, it is given the others one by one, and that one is reported as failed; if it throws
 * anything else, the texts are given back and tried again after a while, at last one by one too.
 */
public final class EmbeddingWorker implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(RapportClient.class.getName());
  private static final int TEXTS = 50;
  private static final int LEASE_SECONDS = 60;
  private static final int RENEW_SECONDS = 20;
  private static final Duration IDLE = Duration.ofSeconds(1);
  private static final Duration CLOSE = Duration.ofSeconds(10);
  private static final int PATIENCE = 3;
  private static final int MAX_REASON = 1000;

  private final EmbeddingsClient client;
  private final String kind;
  private final String model;
  private final TextEmbedder embedder;
  private final Thread thread;
  private volatile boolean closed;
  private volatile String lease = "";
  private int failures;

  EmbeddingWorker(EmbeddingsClient client, String kind, String model, TextEmbedder embedder) {
    this.client = client;
    this.kind = kind;
    this.model = model;
    this.embedder = embedder;
    this.thread = DaemonThreads.named("rapport-embedder").newThread(this::work);
  }

  void start() {
    thread.start();
  }

  private void work() {
    ScheduledExecutorService clock =
        Executors.newSingleThreadScheduledExecutor(DaemonThreads.named("rapport-embedder-lease"));
    try {
      ScheduledFuture<?> unused =
          clock.scheduleWithFixedDelay(this::renew, RENEW_SECONDS, RENEW_SECONDS, TimeUnit.SECONDS);
      while (!closed) {
        workOnce();
      }
    } finally {
      clock.shutdownNow();
    }
  }

  private void workOnce() {
    try {
      ClaimStaleEmbeddingsResponse claimed =
          client.claim(
              ClaimStaleEmbeddingsRequest.newBuilder()
                  .setKind(kind)
                  .setModel(model)
                  .setMaxTexts(TEXTS)
                  .setLeaseTime(Times.duration(Duration.ofSeconds(LEASE_SECONDS)))
                  .build());
      if (claimed.getTextsCount() == 0) {
        pause(IDLE);
      } else {
        lease = claimed.getLeaseId();
        embed(claimed.getModel(), claimed.getTextsList());
        failures = 0;
      }
    } catch (RapportException failure) {
      if (!lease.isEmpty()) {
        release();
      }
      later("no texts can be claimed or written", failure, failure);
    } catch (Exception | LinkageError failure) {
      release();
      later("texts can't be embedded", failure, RapportException.of(failure));
    } finally {
      lease = "";
    }
  }

  private void later(String what, Throwable failure, RapportException known) {
    failures++;
    if (!closed) {
      LOG.log(failures == 1 ? WARNING : INFO, what, failure);
      pause(Backoff.STREAMS.next(failures, known));
    }
  }

  private void embed(String by, List<ClaimedText> texts) throws Exception {
    try {
      put(by, texts);
    } catch (TextRefusedException refusal) {
      if (texts.size() == 1) {
        fail(texts.get(0), String.valueOf(refusal.getMessage()), true);
      } else {
        oneByOne(by, texts);
      }
    } catch (RapportException failure) {
      throw failure;
    } catch (Exception failure) {
      if (failures < PATIENCE) {
        throw failure;
      }
      oneByOne(by, texts);
    }
  }

  private void oneByOne(String by, List<ClaimedText> texts) {
    for (ClaimedText text : texts) {
      try {
        put(by, List.of(text));
      } catch (RapportException failure) {
        throw failure;
      } catch (Exception failure) {
        fail(text, String.valueOf(failure.getMessage()), failure instanceof TextRefusedException);
      }
    }
  }

  private void put(String by, List<ClaimedText> texts) throws Exception {
    List<String> contents = texts.stream().map(ClaimedText::getText).toList();
    List<float[]> vectors = embedder.embed(contents);
    if (vectors.size() != texts.size()) {
      throw new IllegalStateException(
          vectors.size() + " vectors were made of " + texts.size() + " texts");
    }
    List<NewEmbedding> made = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      ClaimedText text = texts.get(i);
      made.add(EmbeddingsClient.embedding(text.getId(), text.getContentHash(), vectors.get(i)));
    }
    try {
      client.put(kind, by, made);
    } catch (InvalidArgumentException refusal) {
      throw new TextRefusedException("the vector was refused: " + refusal.getMessage());
    }
  }

  private void fail(ClaimedText text, String reason, boolean permanent) {
    String kept = reason.length() > MAX_REASON ? reason.substring(0, MAX_REASON) : reason;
    client.reportFailures(
        ReportEmbeddingFailuresRequest.newBuilder()
            .setKind(kind)
            .setLeaseId(lease)
            .addFailures(
                EmbeddingFailure.newBuilder()
                    .setId(text.getId())
                    .setReason(kept.isEmpty() ? "failed" : kept)
                    .setPermanent(permanent))
            .build());
  }

  private void renew() {
    String held = lease;
    if (held.isEmpty()) {
      return;
    }
    try {
      client.renew(
          RenewEmbeddingClaimRequest.newBuilder()
              .setKind(kind)
              .setLeaseId(held)
              .setLeaseTime(Times.duration(Duration.ofSeconds(LEASE_SECONDS)))
              .build());
    } catch (RapportException failure) {
      LOG.log(INFO, "a lease can't be extended", failure);
    }
  }

  private void release() {
    boolean interrupted = Thread.interrupted(); // which would break the call off
    try {
      client.release(
          ReleaseEmbeddingClaimRequest.newBuilder().setKind(kind).setLeaseId(lease).build());
    } catch (RapportException failure) {
      LOG.log(INFO, "texts can't be given back; their lease ends by itself", failure);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void pause(Duration time) {
    try {
      TimeUnit.NANOSECONDS.sleep(time.toNanos());
    } catch (InterruptedException stop) {
      closed = true;
    }
  }

  /** Whether it still claims texts. */
  public boolean isRunning() {
    return thread.isAlive() && !closed;
  }

  /** Claims no more; an embedder at work has 10 seconds to return, then it is interrupted. */
  @Override
  public void close() {
    closed = true;
    if (lease.isEmpty()) {
      thread.interrupt();
    }
    try {
      thread.join(CLOSE.toMillis());
      if (thread.isAlive()) {
        thread.interrupt();
        thread.join(CLOSE.toMillis());
      }
    } catch (InterruptedException stop) {
      thread.interrupt();
      Thread.currentThread().interrupt();
    }
  }
}
