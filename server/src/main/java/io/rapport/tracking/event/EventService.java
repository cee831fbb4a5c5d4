package io.rapport.tracking.event;

import io.grpc.Context;
import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Caller;
import io.rapport.platform.ChangeSubscriber;
import io.rapport.platform.Masks;
import io.rapport.platform.Outbox;
import io.rapport.platform.PageTokens;
import io.rapport.platform.Reply;
import io.rapport.platform.RowPage;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.platform.json.Json;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.platform.watch.Selection;
import io.rapport.platform.watch.WatchPlan;
import io.rapport.platform.watch.Watches;
import io.rapport.tracking.contract.Contracts;
import io.rapport.tracking.contract.TenantContracts;
import io.rapport.tracking.event.EventLog.NotRecordedException;
import io.rapport.tracking.event.EventStore.Listing;
import io.rapport.tracking.v1.BatchTrackEventsRequest;
import io.rapport.tracking.v1.BatchTrackEventsResponse;
import io.rapport.tracking.v1.CountEventsRequest;
import io.rapport.tracking.v1.CountEventsResponse;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventCount;
import io.rapport.tracking.v1.EventOutcome.Result;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.EventTimeRange.Clock;
import io.rapport.tracking.v1.EventWatchFilter;
import io.rapport.tracking.v1.GetEventRequest;
import io.rapport.tracking.v1.IngestEventsRequest;
import io.rapport.tracking.v1.IngestEventsResponse;
import io.rapport.tracking.v1.ListEventsRequest;
import io.rapport.tracking.v1.ListEventsRequest.Order;
import io.rapport.tracking.v1.ListEventsResponse;
import io.rapport.tracking.v1.TrackEventRequest;
import io.rapport.tracking.v1.TrackEventResponse;
import io.rapport.tracking.v1.WatchEventsRequest;
import io.rapport.tracking.v1.WatchEventsResponse;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** The RPCs of events. */
final class EventService {
  /** How many messages of one stream are being recorded at a time. */
  private static final int STREAM_WINDOW = 8;

  private static final int DEFAULT_GROUPS = 1000;
  private static final int MAX_GROUPS = 10_000;

  private final TenantDb db;
  private final EventLog log;
  private final EventRecorder recorder;
  private final Contracts contracts;
  private final EventQuery.Resolver queries;
  private final EventStore events = new EventStore();
  private final EventCountStore counts = new EventCountStore();
  private final Watches watches;

  EventService(
      TenantDb db,
      EventLog log,
      EventRecorder recorder,
      Contracts contracts,
      EventQuery.Resolver queries,
      Watches watches) {
    this.db = db;
    this.log = log;
    this.recorder = recorder;
    this.contracts = contracts;
    this.queries = queries;
    this.watches = watches;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(EventServiceGrpc.getServiceDescriptor())
        .unary(EventServiceGrpc.getGetEventMethod(), this::getEvent)
        .unary(EventServiceGrpc.getListEventsMethod(), this::listEvents)
        .unary(EventServiceGrpc.getCountEventsMethod(), this::countEvents)
        .immediate(EventServiceGrpc.getTrackEventMethod(), this::trackEvent)
        .bulk(EventServiceGrpc.getBatchTrackEventsMethod(), this::batchTrackEvents)
        .pipelined(EventServiceGrpc.getIngestEventsMethod(), STREAM_WINDOW, this::ingestEvents)
        .streaming(EventServiceGrpc.getWatchEventsMethod(), this::watchEvents)
        .build();
  }

  private Event getEvent(GetEventRequest request) {
    UUID tenant = Caller.currentTenant().id();
    UnaryOperator<Event> shown = Masks.reading(request.getReadMask(), Event.getDefaultInstance());
    Event event =
        db.read(tenant, dsl -> events.find(dsl, tenant, UUID.fromString(request.getId())))
            .orElseThrow(() -> ServiceException.notFound("event", request.getId()));
    return shown.apply(present(event, request.getDataAsJson()));
  }

  private ListEventsResponse listEvents(ListEventsRequest request) {
    Caller.Tenant tenant = Caller.currentTenant();
    ListEventsRequest arguments =
        request.toBuilder()
            .clearPageSize()
            .clearPageToken()
            .clearDataAsJson()
            .clearReadMask()
            .build();
    UnaryOperator<Event> shown = Masks.reading(request.getReadMask(), Event.getDefaultInstance());
    TimePlace after =
        PageTokens.decode(tenant, arguments, request.getPageToken())
            .map(TimePlace::ofCursor)
            .orElse(null);
    Listing listing =
        new Listing(
            request.getOrder() != Order.OLDEST_FIRST,
            after,
            PageTokens.size(request.getPageSize()),
            event -> present(event, request.getDataAsJson()));
    EventQuery query =
        db.read(tenant.id(), dsl -> queries.resolve(dsl, tenant.id(), request.getFilter()));

    RowPage<Event> page = db.write(tenant.id(), tx -> events.list(tx, tenant.id(), query, listing));

    ListEventsResponse.Builder response = ListEventsResponse.newBuilder();
    page.rows().forEach(event -> response.addEvents(shown.apply(event)));
    if (page.more()) {
      byte[] cursor = place(page.rows().getLast(), query.clock()).toCursor();
      response.setNextPageToken(PageTokens.encode(tenant, arguments, cursor));
    }
    return response.build();
  }

  private static TimePlace place(Event event, Clock clock) {
    Instant time =
        switch (clock) {
          case RECEIVED_AT -> Times.instant(event.getReceivedAt());
          case RECORDED_AT -> Times.instant(event.getRecordedAt());
          case OCCURRED_AT, CLOCK_UNSPECIFIED, UNRECOGNIZED -> Times.instant(event.getOccurredAt());
        };
    return new TimePlace(time, UUID.fromString(event.getId()));
  }

  /** The store gives data as JSON bytes; callers get a Struct if it can hold them. */
  static Event present(Event event, boolean asJson) {
    if (asJson || !event.hasDataJson()) {
      return event;
    }
    var data = Json.parseStored(event.getDataJson().toByteArray());
    return Json.fitsStruct(data)
        ? event.toBuilder().setDataStruct(Json.toStruct(data)).build()
        : event;
  }

  private CountEventsResponse countEvents(CountEventsRequest request) {
    UUID tenant = Caller.currentTenant().id();
    int limit =
        request.getMaxGroups() == 0 ? DEFAULT_GROUPS : Math.min(request.getMaxGroups(), MAX_GROUPS);
    List<EventCount> groups =
        db.read(
            tenant,
            dsl -> {
              EventQuery query = queries.resolve(dsl, tenant, request.getFilter());
              List<Grouping> groupings =
                  Grouping.resolve(dsl, tenant, queries.properties(), request.getGroupByList());
              return counts.count(dsl, tenant, query, groupings, limit + 1);
            });
    return CountEventsResponse.newBuilder()
        .addAllGroups(groups.stream().limit(limit).toList())
        .setTruncated(groups.size() > limit)
        .build();
  }

  private void trackEvent(TrackEventRequest request, Reply<TrackEventResponse> reply) {
    if (!request.hasEvent()) {
      throw ServiceException.invalid("event", ErrorReason.INVALID_FIELD, "value is required");
    }
    Caller.Tenant tenant = Caller.currentTenant();
    TenantContracts atHand = contracts.atHand(tenant.id());
    if (atHand == null) {
      apart(reply, () -> trackEvent(request, tenant, contracts.of(tenant.id()), reply));
    } else {
      trackEvent(request, tenant, atHand, reply);
    }
  }

  private void trackEvent(
      TrackEventRequest request,
      Caller.Tenant tenant,
      TenantContracts inForce,
      Reply<TrackEventResponse> reply) {
    IncomingEvent event = read(tenant, inForce, request.getEvent());
    Reply<List<Decision>> decided =
        then(reply, decisions -> reply.send(answer(event, decisions.getFirst())));
    if (request.getValidateOnly()) {
      apart(decided, () -> decided.send(log.judge(tenant, List.of(event))));
    } else {
      recorder.submit(tenant, List.of(event), decided);
    }
  }

  private static IncomingEvent read(Caller.Tenant tenant, TenantContracts inForce, Event event) {
    try {
      return new EventReader(tenant, inForce).read(event);
    } catch (ServiceException e) {
      throw e.inside("event");
    }
  }

  private static TrackEventResponse answer(IncomingEvent event, Decision decision) {
    ServiceException error = EventOutcomes.error(event, decision);
    if (error != null) {
      throw error.inside("event");
    }
    return TrackEventResponse.newBuilder().setOutcome(EventOutcomes.of(event, decision, 0)).build();
  }

  /** Does what asks the database, which blocks, and so not on the event loop. */
  private static void apart(Reply<?> reply, Runnable work) {
    Runnable guarded =
        () -> {
          try {
            work.run();
          } catch (RuntimeException | Error e) {
            reply.fail(e);
          }
        };
    Thread.startVirtualThread(Context.current().wrap(guarded));
  }

  private void batchTrackEvents(
      BatchTrackEventsRequest request, Reply<BatchTrackEventsResponse> reply) {
    Caller.Tenant tenant = Caller.currentTenant();
    IncomingBatch batch =
        IncomingBatch.read(tenant, contracts.of(tenant.id()), request.getEventsList());
    Reply<List<Decision>> decided =
        then(
            reply,
            decisions ->
                reply.send(
                    BatchTrackEventsResponse.newBuilder()
                        .addAllOutcomes(batch.outcomes(decisions))
                        .build()));
    if (request.getAllOrNothing()) {
      decided.send(recordAll(tenant, batch, request.getValidateOnly()));
    } else if (request.getValidateOnly()) {
      decided.send(log.judge(tenant, batch.readable()));
    } else {
      recorder.submit(tenant, batch.readable(), decided);
    }
  }

  private List<Decision> recordAll(
      Caller.Tenant tenant, IncomingBatch batch, boolean validateOnly) {
    batch.requireReadable();
    try {
      return validateOnly
          ? log.judgeAll(tenant, batch.readable())
          : log.recordAll(tenant, batch.readable());
    } catch (NotRecordedException e) {
      throw batch.refusal(e.decisions());
    }
  }

  private void ingestEvents(IngestEventsRequest request, Reply<IngestEventsResponse> reply) {
    Caller.Tenant tenant = Caller.currentTenant();
    IncomingBatch batch =
        IncomingBatch.read(tenant, contracts.of(tenant.id()), request.getEventsList());
    long sequence = request.getSequence(); // the events wait, the request need not
    recorder.submit(
        tenant,
        batch.readable(),
        then(reply, decisions -> reply.send(answer(sequence, batch, decisions))));
  }

  private static IngestEventsResponse answer(
      long sequence, IncomingBatch batch, List<Decision> decisions) {
    IngestEventsResponse.Builder response =
        IngestEventsResponse.newBuilder()
            .setSequence(sequence)
            .addAllOutcomes(batch.remarkable(decisions));
    int recorded = 0;
    for (Decision decision : decisions) {
      if (decision.result() == Result.RECORDED) {
        recorded++;
        response.setRecordedAt(Times.proto(decision.recordedMicros()));
      }
    }
    return response.setRecorded(recorded).build();
  }

  private void watchEvents(WatchEventsRequest request, Outbox<WatchEventsResponse> outbox) {
    EventWatchFilter filter = request.getFilter();
    Set<String> kinds = Set.of(ChangeSubscriber.EVENT);
    WatchPlan plan =
        new WatchPlan(
            new Selection(kinds, null, Set.copyOf(filter.getEventTypesList()), null),
            WatchPlan.ids(filter.getUserIdsList()),
            request.getStart(),
            request.getInitialState() ? List.copyOf(kinds) : List.of(),
            WatchPlan.interval(request.hasCheckpointInterval(), request.getCheckpointInterval()));
    WatchedEvents presenter =
        new WatchedEvents(
            db,
            events,
            Caller.currentTenant().id(),
            event -> present(event, request.getDataAsJson()));
    watches.run(plan, outbox, presenter);
  }

  /** A reply that goes on with what it gets, and passes failures on, its own too. */
  private static <T> Reply<T> then(Reply<?> reply, Consumer<T> next) {
    return new Reply<>() {
      @Override
      public void send(T answer) {
        try {
          next.accept(answer);
        } catch (RuntimeException e) {
          reply.fail(e);
        }
      }

      @Override
      public void fail(Throwable failure) {
        reply.fail(failure);
      }
    };
  }
}
