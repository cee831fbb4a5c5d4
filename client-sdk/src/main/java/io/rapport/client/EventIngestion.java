package io.rapport.client;

import io.grpc.MethodDescriptor;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.IngestEventsRequest;
import io.rapport.tracking.v1.IngestEventsResponse;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Events as a writer records them. */
record EventIngestion(IngestOptions options)
    implements Ingestion<Event, IngestEventsRequest, IngestEventsResponse> {

  @Override
  public MethodDescriptor<IngestEventsRequest, IngestEventsResponse> method() {
    return EventServiceGrpc.getIngestEventsMethod();
  }

  @Override
  public IngestEventsRequest request(Message<Event> message) {
    return IngestEventsRequest.newBuilder()
        .setSequence(message.sequence())
        .addAllEvents(message.items())
        .build();
  }

  @Override
  public long sequence(IngestEventsResponse answer) {
    return answer.getSequence();
  }

  @Override
  public Tally tally(Message<Event> message, IngestEventsResponse answer) {
    Tally named = Tally.NONE;
    int namedRecorded = 0;
    for (EventOutcome outcome : answer.getOutcomesList()) {
      named = named.plus(one(outcome.getResult()));
      namedRecorded += outcome.getResult() == EventOutcome.Result.RECORDED ? 1 : 0;
    }
    int silent = message.size() - answer.getOutcomesCount();
    if (silent < 0 || answer.getRecorded() != silent + namedRecorded) {
      throw Tally.broken(
          "%d outcomes and %d recorded for a message of %d events"
              .formatted(answer.getOutcomesCount(), answer.getRecorded(), message.size()));
    }
    return named.plus(new Tally(silent, 0, 0, 0, 0));
  }

  private static Tally one(EventOutcome.Result result) {
    return switch (result) {
      case RECORDED -> new Tally(1, 0, 0, 0, 0);
      case DUPLICATE -> new Tally(0, 1, 0, 0, 0);
      case CONFLICT -> new Tally(0, 0, 1, 0, 0);
      case REFUSED -> new Tally(0, 0, 0, 1, 0);
      case QUARANTINED -> new Tally(0, 0, 0, 0, 1);
      case RESULT_UNSPECIFIED, UNRECOGNIZED ->
          throw Tally.broken("an outcome without a known result");
    };
  }

  @Override
  public void tell(Message<Event> message, IngestEventsResponse answer) {
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

  private static void tellAll(
      OutcomeListener every, Message<Event> message, IngestEventsResponse answer) {
    List<EventOutcome> named = inOrder(answer);
    int next = 0;
    for (int i = 0; i < message.size(); i++) {
      boolean isNamed = next < named.size() && named.get(next).getIndex() == i;
      EventOutcome outcome =
          isNamed ? named.get(next++) : recorded(i, message.items().get(i), answer);
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

  @Override
  public IngestEventsResponse refusal(
      Message<Event> message, com.google.rpc.@Nullable Status error) {
    EventOutcome.Builder outcome =
        EventOutcome.newBuilder()
            .setEventId(message.items().get(0).getId())
            .setResult(EventOutcome.Result.REFUSED);
    if (error != null) {
      outcome.setError(error);
    }
    return IngestEventsResponse.newBuilder().addOutcomes(outcome).build();
  }
}
