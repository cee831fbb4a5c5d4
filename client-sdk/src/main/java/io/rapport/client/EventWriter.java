package io.rapport.client;

import io.grpc.Channel;
import io.rapport.tracking.v1.Event;
import java.util.List;

/**
 * Records many events: groups them into messages, keeps several on the way, and goes on after a
 * broken connection without losing or repeating one. Thread-safe.
 *
 * <p>A new connection is tried, with growing waits, until nothing got on for {@link
 * IngestOptions#maxOutage}. What was not answered is sent again, in order and with the same ids;
 * what the service had recorded already comes back as DUPLICATE and is reported as such ({@link
 * IngestSummary#resent} tells how many events that can be about). What can't pass by waiting, such
 * as a token that is not taken, ends the writer at once. An expired token is asked for anew.
 *
 * <p>Events written by one thread are sent in that order. The writer holds every event until it is
 * decided and {@link #write} waits when too many are, so memory is bounded by {@link
 * IngestOptions#bufferEvents} and {@link IngestOptions#bufferBytes}.
 */
public final class EventWriter implements AutoCloseable {
  /**
   * What opens streams.
   *
   * @param resetBackoff makes the channel connect at once
   */
  record Opener(Channel channel, Runnable resetBackoff) {}

  private final ItemWriter<Event> writer;

  private EventWriter(ItemWriter<Event> writer) {
    this.writer = writer;
  }

  static EventWriter start(Opener opener, IngestOptions options) {
    return new EventWriter(
        ItemWriter.start(opener, options, new EventIngestion(options), Event::getId));
  }

  /**
   * Takes an event to be recorded, and waits while too many are undecided. It is not recorded yet
   * when this returns: see {@link #flush} and {@link IngestOptions#everyOutcome}.
   *
   * @param event given a new UUIDv7 if it has no id
   * @return how many events were written before it
   * @throws IllegalArgumentException if it alone is larger than the service takes (3.5 MiB)
   * @throws IngestFailedException if the writer has given up; the event was not taken
   * @throws CancelledException if the thread was interrupted; the event was not taken
   */
  public long write(Event event) {
    return writer.write(EventIds.identified(event));
  }

  /**
   * Waits until every event written before is decided and its listener told.
   *
   * @throws IngestFailedException if the writer has given up
   * @throws CancelledException if the thread was interrupted
   */
  public void flush() {
    writer.flush();
  }

  /**
   * Waits until every event is decided and ends the stream. {@link #summary} is final then.
   *
   * @throws IngestFailedException if the writer has given up and no method has said so before
   * @throws CancelledException if the thread was interrupted; the writer goes on by itself
   */
  @Override
  public void close() {
    writer.close();
  }

  /** What became of the events so far. */
  public IngestSummary summary() {
    return writer.summary();
  }

  /** The ids of the events that are written and not decided, in the order of writing. */
  public List<String> undecided() {
    return writer.undecided();
  }
}
