package io.rapport.client;

import io.grpc.Status;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.IngestEventsResponse;
import java.util.Comparator;
import java.util.List;

/** How many events of a message, or of a writer, came to which end. */
record Tally(long recorded, long duplicate, long conflict, long refused, long quarantined) {
  static final Tally NONE = new Tally(0, 0, 0, 0, 0);

  /** Counts an answer, which must tell of every event of the message exactly once. */
  static Tally of(Message message, IngestEventsResponse answer) {
    Tally named = NONE;
    int namedRecorded = 0;
    for (EventOutcome outcome : answer.getOutcomesList()) {
      named = named.and(outcome.getResult());
      namedRecorded += outcome.getResult() == EventOutcome.Result.RECORDED ? 1 : 0;
    }
    int silent = message.size() - answer.getOutcomesCount();
    if (silent < 0 || answer.getRecorded() != silent + namedRecorded) {
      throw broken(
          "%d outcomes and %d recorded for a message of %d events"
              .formatted(answer.getOutcomesCount(), answer.getRecorded(), message.size()));
    }
    return named.plus(new Tally(silent, 0, 0, 0, 0));
  }

  static InternalException broken(String what) {
    return new InternalException(
        ErrorDetails.local(
            Status.Code.INTERNAL, "The service's answer breaks the contract: " + what),
        null);
  }

  Tally plus(Tally other) {
    return new Tally(
        recorded + other.recorded,
        duplicate + other.duplicate,
        conflict + other.conflict,
        refused + other.refused,
        quarantined + other.quarantined);
  }

  private Tally and(EventOutcome.Result result) {
    return switch (result) {
      case RECORDED -> plus(new Tally(1, 0, 0, 0, 0));
      case DUPLICATE -> plus(new Tally(0, 1, 0, 0, 0));
      case CONFLICT -> plus(new Tally(0, 0, 1, 0, 0));
      case REFUSED -> plus(new Tally(0, 0, 0, 1, 0));
      case QUARANTINED -> plus(new Tally(0, 0, 0, 0, 1));
      case RESULT_UNSPECIFIED, UNRECOGNIZED -> throw broken("an outcome without a known result");
    };
  }

  /** Tells the listeners of a message's events, in order. */
  static void tell(IngestOptions options, Message message, IngestEventsResponse answer) {
    OutcomeListener every = options.everyOutcome();
    OutcomeListener exceptions = options.exceptions();
    if (exceptions != null) {
      for (EventOutcome outcome : inOrder(answer)) {
        exceptions.decided(message.first() + outcome.getIndex(), outcome);
      }
    }
    if (every != null) {
      tellAll(every, message, answer);
    }
  }

  private static void tellAll(OutcomeListener every, Message message, IngestEventsResponse answer) {
    List<EventOutcome> named = inOrder(answer);
    int next = 0;
    for (int i = 0; i < message.size(); i++) {
      boolean isNamed = next < named.size() && named.get(next).getIndex() == i;
      EventOutcome outcome =
          isNamed ? named.get(next++) : recorded(i, message.events().get(i), answer);
      every.decided(message.first() + i, outcome);
    }
  }

  private static EventOutcome recorded(int index, Event event, IngestEventsResponse answer) {
    return EventOutcome.newBuilder()
        .setIndex(index)
        .setEventId(event.getId())
        .setResult(EventOutcome.Result.RECORDED)
        .setRecordedAt(answer.getRecordedAt())
        .build();
  }

  private static List<EventOutcome> inOrder(IngestEventsResponse answer) {
    List<EventOutcome> outcomes = answer.getOutcomesList();
    for (int i = 1; i < outcomes.size(); i++) {
      if (outcomes.get(i - 1).getIndex() > outcomes.get(i).getIndex()) {
        return outcomes.stream().sorted(Comparator.comparingInt(EventOutcome::getIndex)).toList();
      }
    }
    return outcomes;
  }
}
