package io.rapport.client;

import io.rapport.monitoring.v1.LoggedPrediction;
import java.util.List;

/**
 * Logs many predictions: groups them into messages, keeps several on the way, and goes on after a
 * broken connection without losing or repeating one, as {@link EventWriter} does with events.
 * Thread-safe.
 *
 * <p>The writer holds every prediction until it is decided and {@link #log} waits when too many
 * are, so memory is bounded by {@link IngestOptions#bufferEvents} and {@link
 * IngestOptions#bufferBytes}.
 */
public final class PredictionWriter implements AutoCloseable {
  private final ItemWriter<LoggedPrediction> writer;

  private PredictionWriter(ItemWriter<LoggedPrediction> writer) {
    this.writer = writer;
  }

  static PredictionWriter start(
      EventWriter.Opener opener, IngestOptions options, LogResultListener exceptions) {
    return new PredictionWriter(
        ItemWriter.start(
            opener, options, new PredictionIngestion(exceptions), LoggedPrediction::getId));
  }

  /**
   * Takes a prediction to be logged, and waits while too many are undecided. It is not logged yet
   * when this returns: see {@link #flush}.
   *
   * @param prediction given a new UUIDv7 if it has no id
   * @return how many predictions were logged before it
   * @throws IllegalArgumentException if it alone is larger than the service takes (3.5 MiB)
   * @throws IngestFailedException if the writer has given up; the prediction was not taken
   * @throws CancelledException if the thread was interrupted; the prediction was not taken
   */
  public long log(LoggedPrediction prediction) {
    return writer.write(PredictionsClient.identified(prediction));
  }

  /**
   * Waits until every prediction logged before is decided and the listener told.
   *
   * @throws IngestFailedException if the writer has given up
   * @throws CancelledException if the thread was interrupted
   */
  public void flush() {
    writer.flush();
  }

  /**
   * Waits until every prediction is decided and ends the stream. {@link #summary} is final then.
   *
   * @throws IngestFailedException if the writer has given up and no method has said so before
   * @throws CancelledException if the thread was interrupted; the writer goes on by itself
   */
  @Override
  public void close() {
    writer.close();
  }

  /** What became of the predictions so far. */
  public IngestSummary summary() {
    return writer.summary();
  }

  /** The ids of the predictions that are logged and not decided, in the order of writing. */
  public List<String> undecided() {
    return writer.undecided();
  }
}
