package io.rapport.client;

import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How an {@link EventWriter} works. Start with {@link #defaults()}.
 *
 * @param messageEvents events of a full message, 1 to 10,000; 1,000 unless set
 * @param messageBytes bytes of a full message, 1 to 3,670,016; 1 MiB unless set. An event that
 *     alone is larger goes alone.
 * @param inFlight messages that are sent and not answered, at most; 8 unless set
 * @param bufferEvents events that are written and not decided, at most; 32,768 unless set
 * @param bufferBytes their bytes as sent, at most; 32 MiB unless set
 * @param maxOutage how long to try to reach the service again without getting on; 60 s unless set
 * @param everyOutcome told the fate of every event
 * @param exceptions told only of duplicates, conflicts, refused and quarantined events, and
 *     redactions
 */
public record IngestOptions(
    int messageEvents,
    int messageBytes,
    int inFlight,
    int bufferEvents,
    long bufferBytes,
    Duration maxOutage,
    @Nullable OutcomeListener everyOutcome,
    @Nullable OutcomeListener exceptions) {

  private static final IngestOptions DEFAULTS =
      new IngestOptions(1_000, 1 << 20, 8, 1 << 15, 32L << 20, Duration.ofSeconds(60), null, null);

  /** Checks the ranges; throws IllegalArgumentException. */
  public IngestOptions {
    within("messageEvents", messageEvents, Parts.MAX_EVENTS);
    within("messageBytes", messageBytes, Parts.MAX_BYTES);
    within("inFlight", inFlight, 1_000);
    within("bufferEvents", bufferEvents, Integer.MAX_VALUE);
    within("bufferBytes", bufferBytes, Long.MAX_VALUE);
    if (maxOutage.isNegative()) {
      throw new IllegalArgumentException("maxOutage must not be negative: " + maxOutage);
    }
  }

  /** The defaults named above. */
  public static IngestOptions defaults() {
    return DEFAULTS;
  }

  /** The same with messages of at most so many events and bytes. */
  public IngestOptions withMessage(int events, int bytes) {
    return with(draft -> {
      draft.messageEvents = events;
      draft.messageBytes = bytes;
    });
  }

  /** The same with at most so many messages unanswered. */
  public IngestOptions withInFlight(int messages) {
    return with(draft -> draft.inFlight = messages);
  }

  /** The same with at most so many events, and bytes of them, written and not decided. */
  public IngestOptions withBuffer(int events, long bytes) {
    return with(draft -> {
      draft.bufferEvents = events;
      draft.bufferBytes = bytes;
    });
  }

  /** The same, giving up after so long without getting on; zero: at the first failure. */
  public IngestOptions withMaxOutage(Duration time) {
    return with(draft -> draft.maxOutage = time);
  }

  /** The same, telling the listener the fate of every event. */
  public IngestOptions withEveryOutcome(OutcomeListener listener) {
    return with(draft -> draft.everyOutcome = listener);
  }

  /**
   * The same, telling the listener of the events that were not simply recorded as sent: cheaper.
   */
  public IngestOptions withExceptions(OutcomeListener listener) {
    return with(draft -> draft.exceptions = listener);
  }

  private IngestOptions with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.options();
  }

  private static void within(String name, long value, long most) {
    if (value < 1 || value > most) {
      throw new IllegalArgumentException(
          "%s must be from 1 to %,d: %,d".formatted(name, most, value));
    }
  }

  /** Options that are being changed. */
  private static final class Draft {
    int messageEvents;
    int messageBytes;
    int inFlight;
    int bufferEvents;
    long bufferBytes;
    Duration maxOutage;
    @Nullable OutcomeListener everyOutcome;
    @Nullable OutcomeListener exceptions;

    Draft(IngestOptions from) {
      messageEvents = from.messageEvents;
      messageBytes = from.messageBytes;
      inFlight = from.inFlight;
      bufferEvents = from.bufferEvents;
      bufferBytes = from.bufferBytes;
      maxOutage = from.maxOutage;
      everyOutcome = from.everyOutcome;
      exceptions = from.exceptions;
    }

    IngestOptions options() {
      return new IngestOptions(
          messageEvents,
          messageBytes,
          inFlight,
          bufferEvents,
          bufferBytes,
          maxOutage,
          everyOutcome,
          exceptions);
    }
  }
}
