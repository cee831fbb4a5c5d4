package io.rapport.client;

import io.grpc.CallOptions;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.rapport.versioning.v1.ManifestEnd;
import io.rapport.versioning.v1.ManifestRow;
import io.rapport.versioning.v1.StreamManifestRowsRequest;
import io.rapport.versioning.v1.StreamManifestRowsResponse;
import io.rapport.versioning.v1.TrainingDatasetServiceGrpc;
import java.util.Collections;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a frozen dataset, the same in the same order each time. When the connection or the
 * service is lost, it goes on by itself after the last row that came, up to ten times in a row with
 * growing waits. For one thread.
 *
 * <p>It ends only when the service has seen that the rows are those that were frozen; else it
 * throws a {@link DataLossException}.
 */
public final class DatasetRows implements Iterator<ManifestRow>, AutoCloseable {
  private static final int FAILURES = 10;

  private final Calls calls;
  private final StreamManifestRowsRequest request;
  private Iterator<ManifestRow> rows = Collections.emptyIterator();
  private @Nullable Iterator<StreamManifestRowsResponse> messages;
  private Context.@Nullable CancellableContext call;
  private @Nullable ManifestEnd end;
  private String cursor = "";
  private int failures;

  DatasetRows(Calls calls, String manifestId) {
    this.calls = calls;
    this.request = StreamManifestRowsRequest.newBuilder().setManifestId(manifestId).build();
  }

  /**
   * Waits until there is a row or the end.
   *
   * @throws DataLossException if the rows are not those that were frozen
   * @throws NotFoundException if there is no such manifest
   * @throws RapportException if it can't go on
   */
  @Override
  public boolean hasNext() {
    while (!rows.hasNext() && end == null) {
      try {
        take(await());
        failures = 0;
      } catch (StatusRuntimeException failure) {
        recover(RapportException.of(failure));
      }
    }
    return rows.hasNext();
  }

  /** The next row: an event, or the digest of the id of one that is no longer there. */
  @Override
  public ManifestRow next() {
    if (!hasNext()) {
      throw new NoSuchElementException("there are no more rows");
    }
    return rows.next();
  }

  /** What the service found at the end; empty before the last row was asked for. */
  public Optional<ManifestEnd> end() {
    return Optional.ofNullable(end);
  }

  /** Gives up the rest. */
  @Override
  public void close() {
    leave();
  }

  private StreamManifestRowsResponse await() {
    Iterator<StreamManifestRowsResponse> current = messages;
    if (current == null) {
      current = open();
      messages = current;
    }
    if (!current.hasNext()) {
      throw Status.UNAVAILABLE
          .withDescription("The service ended the stream before its end.")
          .asRuntimeException();
    }
    return current.next();
  }

  private Iterator<StreamManifestRowsResponse> open() {
    Context.CancellableContext opened = Context.current().withCancellation();
    call = opened;
    Context before = opened.attach();
    try {
      return ClientCalls.blockingServerStreamingCall(
          calls.channel(),
          TrainingDatasetServiceGrpc.getStreamManifestRowsMethod(),
          CallOptions.DEFAULT,
          request.toBuilder().setCursor(cursor).build());
    } finally {
      opened.detach(before);
    }
  }

  private void take(StreamManifestRowsResponse message) {
    rows = message.getRowsList().iterator();
    if (message.hasEnd()) {
      end = message.getEnd();
      leave();
    } else {
      cursor = message.getCursor();
    }
  }

  private void recover(RapportException why) {
    leave();
    failures++;
    boolean passing =
        switch (why.code()) {
          case UNAVAILABLE, ABORTED, DEADLINE_EXCEEDED -> true;
          case CANCELLED, INTERNAL, UNKNOWN -> why.rawReason().isEmpty(); // the connection's end
          default -> false;
        };
    if (!passing || failures > FAILURES) {
      throw why;
    }
    try {
      TimeUnit.NANOSECONDS.sleep(Backoff.STREAMS.next(failures, why).toNanos());
    } catch (InterruptedException stop) {
      throw CancelledException.interrupted(stop);
    }
  }

  private void leave() {
    Context.CancellableContext last = call;
    messages = null;
    call = null;
    if (last != null) {
      last.cancel(null);
    }
  }
}
