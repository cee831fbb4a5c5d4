package io.rapport.bench;

import com.google.common.primitives.Floats;
import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.rapport.search.v1.EmbeddingServiceGrpc;
import io.rapport.search.v1.EmbeddingServiceGrpc.EmbeddingServiceBlockingStub;
import io.rapport.search.v1.NewEmbedding;
import io.rapport.search.v1.PutEmbeddingsRequest;
import io.rapport.vectors.SentenceVectors;
import io.rapport.vectors.StoredVectors;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** Changes vectors of one tenant by the service, as fast as it can or in step with searches. */
final class VectorWriter {
  private static final int CHANGED = 2_000;
  private static final int WRITERS = 4;
  private static final int SEARCHES_FOR_A_WRITE = 9;

  private final EmbeddingServiceBlockingStub stub;
  private final SentenceVectors vectors;
  private final List<ByteString> hashes = new ArrayList<>();
  private final AtomicInteger written = new AtomicInteger();

  VectorWriter(Channel channel, StoredVectors stored, SentenceVectors vectors) throws SQLException {
    this.stub = EmbeddingServiceGrpc.newBlockingStub(channel);
    this.vectors = vectors;
    for (int row = 0; row < CHANGED; row++) {
      hashes.add(ByteString.copyFrom(stored.hash(row)));
    }
  }

  /** Gives rows, so many at a time, other vectors; returns rows a second. */
  double rate(int batch) {
    int rows = CHANGED / 2 / batch * batch;
    long start = System.nanoTime();
    for (int done = 0; done < rows; done += batch) {
      put(batch);
    }
    return rows / ((System.nanoTime() - start) / 1e9);
  }

  /** What changes a vector for every nine searches that are begun. */
  final class InStep implements AutoCloseable {
    private final Semaphore due = new Semaphore(0);
    private final AtomicInteger searches = new AtomicInteger();
    private final int before = written.get();
    private final ExecutorService writers = Executors.newVirtualThreadPerTaskExecutor();

    InStep() {
      for (int i = 0; i < WRITERS; i++) {
        writers.execute(this::write);
      }
    }

    Supplier<CallLoad.Call> count(Supplier<CallLoad.Call> calls) {
      return () -> {
        if (searches.incrementAndGet() % SEARCHES_FOR_A_WRITE == 0) {
          due.release();
        }
        return calls.get();
      };
    }

    private void write() {
      try {
        while (true) {
          due.acquire();
          put(1);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    /** Writes in a hundred of all calls. */
    double share() {
      double writes = written.get() - before;
      return 100 * writes / (writes + searches.get());
    }

    @Override
    public void close() {
      due.drainPermits();
      writers.shutdownNow();
      writers.close();
    }
  }

  private void put(int rows) {
    PutEmbeddingsRequest.Builder request =
        PutEmbeddingsRequest.newBuilder()
            .setKind(StoredVectors.KIND)
            .setModel(SentenceVectors.MODEL);
    int from = written.getAndAdd(rows);
    for (int i = from; i < from + rows; i++) {
      int row = i % CHANGED;
      int other = (i + CHANGED + i / CHANGED) % vectors.rows();
      request.addEmbeddings(
          NewEmbedding.newBuilder()
              .setId(StoredVectors.id(row).toString())
              .setContentHash(hashes.get(row))
              .addAllVector(Floats.asList(vectors.row(other))));
    }
    stub.withDeadlineAfter(20, TimeUnit.SECONDS).putEmbeddings(request.build());
  }
}
