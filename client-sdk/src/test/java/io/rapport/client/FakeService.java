package io.rapport.client;

import io.grpc.BindableService;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.rapport.tracking.v1.BatchTrackEventsRequest;
import io.rapport.tracking.v1.BatchTrackEventsResponse;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.GetEventRequest;
import io.rapport.tracking.v1.IngestEventsRequest;
import io.rapport.tracking.v1.IngestEventsResponse;
import io.rapport.tracking.v1.ListEventsRequest;
import io.rapport.tracking.v1.ListEventsResponse;
import io.rapport.tracking.v1.TrackEventRequest;
import io.rapport.tracking.v1.TrackEventResponse;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The event service as far as faults are concerned that the real one can't be made to have. */
final class FakeService extends EventServiceGrpc.EventServiceImplBase implements BindableService {
  /** What happens to one message of a stream. */
  enum Fate {
    ANSWER,
    BREAK_BEFORE_RECORDING,
    BREAK_AFTER_RECORDING,
    END_ORDERLY,
    HOLD
  }

  /** Decides the fate of the n-th message that the service ever got, from 1. */
  interface Fates {
    Fate of(int message, IngestEventsRequest request);
  }

  final Map<String, Event> recorded = Collections.synchronizedMap(new LinkedHashMap<>());
  final List<Integer> messageSizes = Collections.synchronizedList(new ArrayList<>());
  final AtomicInteger unaryCalls = new AtomicInteger();
  final AtomicInteger messages = new AtomicInteger();
  final AtomicInteger streams = new AtomicInteger();
  volatile Supplier<@Nullable StatusRuntimeException> unaryFault = () -> null;
  volatile Supplier<@Nullable StatusRuntimeException> streamFault = () -> null;
  volatile StatusRuntimeException streamBreak = Status.UNAVAILABLE.asRuntimeException();
  volatile Fates fates = (message, request) -> Fate.ANSWER;
  volatile boolean silent;

  @Override
  public void getEvent(GetEventRequest request, StreamObserver<Event> answer) {
    answer(answer, () -> Event.newBuilder().setId(request.getId()).build());
  }

  @Override
  public void trackEvent(TrackEventRequest request, StreamObserver<TrackEventResponse> answer) {
    answer(
        answer,
        () -> TrackEventResponse.newBuilder().setOutcome(record(0, request.getEvent())).build());
  }

  @Override
  public void batchTrackEvents(
      BatchTrackEventsRequest request, StreamObserver<BatchTrackEventsResponse> answer) {
    messageSizes.add(request.getEventsCount());
    BatchTrackEventsResponse.Builder response = BatchTrackEventsResponse.newBuilder();
    for (Event event : request.getEventsList()) {
      response.addOutcomes(record(response.getOutcomesCount(), event));
    }
    answer(answer, response::build);
  }

  @Override
  public void listEvents(ListEventsRequest request, StreamObserver<ListEventsResponse> answer) {
    int page = request.getPageToken().isEmpty() ? 1 : Integer.parseInt(request.getPageToken());
    ListEventsResponse.Builder response = ListEventsResponse.newBuilder();
    response.addEvents(Event.newBuilder().setText("page " + page + " a"));
    response.addEvents(Event.newBuilder().setText("page " + page + " b"));
    answer(answer, response.setNextPageToken(page == 3 ? "" : "" + (page + 1))::build);
  }

  @Override
  public StreamObserver<IngestEventsRequest> ingestEvents(
      StreamObserver<IngestEventsResponse> answers) {
    streams.incrementAndGet();
    StatusRuntimeException fault = streamFault.get();
    if (fault != null) {
      answers.onError(fault);
    }
    return new Ingest(answers, fault != null);
  }

  private <A> void answer(StreamObserver<A> answer, Supplier<A> value) {
    unaryCalls.incrementAndGet();
    StatusRuntimeException fault = unaryFault.get();
    if (fault != null) {
      answer.onError(fault);
    } else if (!silent) {
      answer.onNext(value.get());
      answer.onCompleted();
    }
  }

  private EventOutcome record(int index, Event event) {
    Event before = recorded.putIfAbsent(event.getId(), event);
    EventOutcome.Builder outcome =
        EventOutcome.newBuilder().setIndex(index).setEventId(event.getId());
    if (before == null) {
      return outcome.setResult(EventOutcome.Result.RECORDED).build();
    }
    boolean same = before.equals(event);
    return outcome
        .setResult(same ? EventOutcome.Result.DUPLICATE : EventOutcome.Result.CONFLICT)
        .build();
  }

  private final class Ingest implements StreamObserver<IngestEventsRequest> {
    private final StreamObserver<IngestEventsResponse> answers;
    private boolean over;

    Ingest(StreamObserver<IngestEventsResponse> answers, boolean over) {
      this.answers = answers;
      this.over = over;
    }

    @Override
    public void onNext(IngestEventsRequest request) {
      if (over) {
        return;
      }
      int number = messages.incrementAndGet();
      messageSizes.add(request.getEventsCount());
      switch (fates.of(number, request)) {
        case ANSWER -> answers.onNext(answer(request));
        case BREAK_BEFORE_RECORDING -> end(streamBreak);
        case BREAK_AFTER_RECORDING -> {
          answer(request);
          end(streamBreak);
        }
        case END_ORDERLY -> {
          over = true;
          answers.onCompleted();
        }
        case HOLD -> {}
      }
    }

    private void end(StatusRuntimeException failure) {
      over = true;
      answers.onError(failure);
    }

    private IngestEventsResponse answer(IngestEventsRequest request) {
      IngestEventsResponse.Builder response =
          IngestEventsResponse.newBuilder().setSequence(request.getSequence());
      for (int i = 0; i < request.getEventsCount(); i++) {
        EventOutcome outcome = record(i, request.getEvents(i));
        if (outcome.getResult() == EventOutcome.Result.RECORDED) {
          response.setRecorded(response.getRecorded() + 1);
        } else {
          response.addOutcomes(outcome);
        }
      }
      return response.build();
    }

    @Override
    public void onError(Throwable failure) {}

    @Override
    public void onCompleted() {
      if (!over) {
        answers.onCompleted();
      }
    }
  }
}
