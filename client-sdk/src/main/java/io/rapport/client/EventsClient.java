package io.rapport.client;

import io.rapport.identity.v1.Identity;
import io.rapport.tracking.v1.BatchTrackEventsRequest;
import io.rapport.tracking.v1.BatchTrackEventsResponse;
import io.rapport.tracking.v1.CountEventsRequest;
import io.rapport.tracking.v1.CountEventsResponse;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventFilter;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.EventWatchFilter;
import io.rapport.tracking.v1.GetEventRequest;
import io.rapport.tracking.v1.ListEventsRequest;
import io.rapport.tracking.v1.ListEventsResponse;
import io.rapport.tracking.v1.TrackEventRequest;
import io.rapport.tracking.v1.TrackEventResponse;
import io.rapport.tracking.v1.WatchEventsRequest;
import io.rapport.tracking.v1.WatchEventsResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Records events and answers about them. Every method may throw a {@link RapportException}; every
 * write is safe to repeat, because an event without an id is given one before it is first sent.
 */
public final class EventsClient {
  private static final int PAGE = 500;

  private final Calls calls;
  private final EventWriter.Opener opener;
  private final WatchConnection.Opener<WatchEventsRequest, WatchEventsResponse> watches;
  private final Rpc<GetEventRequest, Event> get;
  private final Rpc<ListEventsRequest, ListEventsResponse> list;
  private final Rpc<CountEventsRequest, CountEventsResponse> count;
  private final Rpc<TrackEventRequest, TrackEventResponse> track;
  private final Rpc<BatchTrackEventsRequest, BatchTrackEventsResponse> batch;

  EventsClient(Calls calls, EventWriter.Opener opener) {
    this.calls = calls;
    this.opener = opener;
    this.watches =
        new WatchConnection.Opener<>(
            opener.channel(), EventServiceGrpc.getWatchEventsMethod(), opener.resetBackoff());
    this.get = calls.rpc(EventServiceGrpc.getGetEventMethod());
    this.list = calls.rpc(EventServiceGrpc.getListEventsMethod());
    this.count = calls.rpc(EventServiceGrpc.getCountEventsMethod());
    this.track = calls.rpc(EventServiceGrpc.getTrackEventMethod());
    this.batch = calls.batch(EventServiceGrpc.getBatchTrackEventsMethod());
  }

  /**
   * Records one event.
   *
   * @return RECORDED, DUPLICATE or, if it breaks a contract that says so, QUARANTINED; with the
   *     event's id
   * @throws EventConflictException if another event is recorded under its id
   * @throws InvalidArgumentException if it breaks a rule, or a contract that rejects it
   * @throws UnknownOutcomeException if it may or may not be recorded; track it again with the same
   *     id
   */
  public EventOutcome track(Event event) {
    return track(TrackEventRequest.newBuilder().setEvent(event).build());
  }

  /**
   * Records an event of a user, now, without data.
   *
   * @param eventType what was done, such as {@code page_view}
   * @param who what another system calls the user, who is made if not known yet
   */
  public EventOutcome track(String eventType, Identity who) {
    return track(Event.newBuilder().setEventType(eventType).setIdentity(who).build());
  }

  /** Records one event, or only checks it; see {@link #track(Event)}. */
  public EventOutcome track(TrackEventRequest request) {
    TrackEventRequest sent =
        request.toBuilder().setEvent(EventIds.identified(request.getEvent())).build();
    return calls.call(track, sent).getOutcome();
  }

  /**
   * Records events, each with its own outcome. A list of more than 10,000 events or 3.5 MiB is sent
   * in several calls, one after another; if one of them fails, those before it are recorded, so
   * give the events ids ({@link EventIds#identified}) if you mean to send the list again.
   *
   * @return one outcome for each event, in the order given; {@code index} is the place in the list
   */
  public List<EventOutcome> batch(List<Event> events) {
    List<EventOutcome> outcomes = new ArrayList<>(events.size());
    for (List<Event> part : Parts.of(events.stream().map(EventIds::identified).toList())) {
      BatchTrackEventsRequest request =
          BatchTrackEventsRequest.newBuilder().addAllEvents(part).build();
      int first = outcomes.size();
      for (EventOutcome outcome : calls.call(batch, request).getOutcomesList()) {
        outcomes.add(shifted(outcome, first));
      }
    }
    return outcomes;
  }

  /**
   * Records all of the events or none, in one call.
   *
   * @param events 1 to 10,000, of at most 4 MiB in all
   * @return one outcome for each event, in the order given
   * @throws InvalidArgumentException with reason BATCH_REFUSED if one of them can't be recorded
   */
  public List<EventOutcome> batchAllOrNothing(List<Event> events) {
    BatchTrackEventsRequest request =
        BatchTrackEventsRequest.newBuilder()
            .addAllEvents(events.stream().map(EventIds::identified).toList())
            .setAllOrNothing(true)
            .build();
    return calls.call(batch, request).getOutcomesList();
  }

  /** The event with this UUID, its data as a Struct; empty if there is none. */
  public Optional<Event> get(String id) {
    return get(GetEventRequest.newBuilder().setId(id).build());
  }

  /** The event asked for; empty if there is none. */
  public Optional<Event> get(GetEventRequest request) {
    try {
      return Optional.of(calls.call(get, request));
    } catch (NotFoundException absent) {
      return Optional.empty();
    }
  }

  /**
   * The events that match, latest first, data as a Struct. Pages of 500 are fetched as the stream
   * is read; a terminal operation can therefore throw a {@link RapportException}.
   */
  public Stream<Event> list(EventFilter filter) {
    return list(ListEventsRequest.newBuilder().setFilter(filter).setPageSize(PAGE).build());
  }

  /**
   * The events of a list, from the page that the request names to the last one, fetched page by
   * page as the stream is read.
   */
  public Stream<Event> list(ListEventsRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          ListEventsResponse page =
              calls.call(list, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getEventsList(), page.getNextPageToken());
        });
  }

  /** Counts events in groups; {@code truncated} tells that there are more groups than asked for. */
  public CountEventsResponse count(CountEventsRequest request) {
    return calls.call(count, request);
  }

  /** Opens a writer for many events, with the default options. */
  public EventWriter ingest() {
    return ingest(IngestOptions.defaults());
  }

  /** Opens a writer for many events. It connects when the first event is written. */
  public EventWriter ingest(IngestOptions options) {
    return EventWriter.start(opener, options);
  }

  /**
   * Watches events as they are recorded, whole, in the order of the commits; see {@link
   * ChangesClient#watch(io.rapport.platform.v1.ChangeFilter, WatchOptions)}.
   *
   * @throws CursorExpiredException if what comes after the cursor is no longer kept
   */
  public Watch<Event> watch(EventWatchFilter filter, WatchOptions options) {
    return Watch.open(
        watches,
        start ->
            WatchEventsRequest.newBuilder()
                .setFilter(filter)
                .setStart(start)
                .setInitialState(options.initialState())
                .setCheckpointInterval(options.interval())
                .setDataAsJson(options.dataAsJson())
                .build(),
        message ->
            new WatchBatch<>(
                message.getEventsList(), message.getCursor(), message.getInitialStateDone()),
        options);
  }

  private static EventOutcome shifted(EventOutcome outcome, int first) {
    return first == 0 ? outcome : outcome.toBuilder().setIndex(first + outcome.getIndex()).build();
  }
}
