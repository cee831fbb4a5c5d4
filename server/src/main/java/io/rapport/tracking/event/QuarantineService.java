package io.rapport.tracking.event;

import com.google.protobuf.Timestamp;
import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Caller;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.PageTokens;
import io.rapport.platform.RowPage;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.platform.Transaction;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.tracking.contract.Contracts;
import io.rapport.tracking.event.QuarantineStore.Listing;
import io.rapport.tracking.v1.DiscardQuarantinedEventsRequest;
import io.rapport.tracking.v1.DiscardQuarantinedEventsResponse;
import io.rapport.tracking.v1.GetQuarantinedEventRequest;
import io.rapport.tracking.v1.ListQuarantinedEventsRequest;
import io.rapport.tracking.v1.ListQuarantinedEventsResponse;
import io.rapport.tracking.v1.QuarantineServiceGrpc;
import io.rapport.tracking.v1.QuarantinedEvent;
import io.rapport.tracking.v1.Release;
import io.rapport.tracking.v1.ReleaseQuarantinedEventsRequest;
import io.rapport.tracking.v1.ReleaseQuarantinedEventsResponse;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** The RPCs of events in quarantine. */
final class QuarantineService {
  private final TenantDb db;
  private final UnitOfWork work;
  private final Contracts contracts;
  private final QuarantineRelease release;
  private final QuarantineStore quarantine = new QuarantineStore();

  QuarantineService(TenantDb db, UnitOfWork work, Contracts contracts, QuarantineRelease release) {
    this.db = db;
    this.work = work;
    this.contracts = contracts;
    this.release = release;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(QuarantineServiceGrpc.getServiceDescriptor())
        .unary(QuarantineServiceGrpc.getGetQuarantinedEventMethod(), this::getQuarantinedEvent)
        .unary(QuarantineServiceGrpc.getListQuarantinedEventsMethod(), this::listQuarantinedEvents)
        .bulk(
            QuarantineServiceGrpc.getReleaseQuarantinedEventsMethod(),
            (request, reply) -> reply.send(releaseQuarantinedEvents(request)))
        .unary(
            QuarantineServiceGrpc.getDiscardQuarantinedEventsMethod(),
            this::discardQuarantinedEvents)
        .build();
  }

  private QuarantinedEvent getQuarantinedEvent(GetQuarantinedEventRequest request) {
    UUID tenant = Caller.currentTenant().id();
    QuarantinedEvent found =
        db.read(tenant, dsl -> quarantine.find(dsl, tenant, UUID.fromString(request.getId())))
            .orElseThrow(() -> notFound(request.getId()));
    return found.toBuilder()
        .setEvent(EventService.present(found.getEvent(), request.getDataAsJson()))
        .build();
  }

  private static ServiceException notFound(String id) {
    return ServiceException.notFound("quarantined event", id);
  }

  private ListQuarantinedEventsResponse listQuarantinedEvents(
      ListQuarantinedEventsRequest request) {
    Caller.Tenant tenant = Caller.currentTenant();
    ListQuarantinedEventsRequest arguments =
        request.toBuilder().clearPageSize().clearPageToken().clearDataAsJson().build();
    Listing listing =
        new Listing(
            request.getEventType(),
            request.hasFrom() ? instant(request.getFrom(), "from") : null,
            request.hasTo() ? instant(request.getTo(), "to") : null,
            PageTokens.decode(tenant, arguments, request.getPageToken())
                .map(TimePlace::ofCursor)
                .orElse(null),
            PageTokens.size(request.getPageSize()),
            event -> EventService.present(event, request.getDataAsJson()));

    RowPage<QuarantinedEvent> page =
        db.write(tenant.id(), tx -> quarantine.list(tx, tenant.id(), listing));

    ListQuarantinedEventsResponse.Builder response =
        ListQuarantinedEventsResponse.newBuilder().addAllEvents(page.rows());
    if (page.more()) {
      byte[] cursor = place(page.rows().getLast()).toCursor();
      response.setNextPageToken(PageTokens.encode(tenant, arguments, cursor));
    }
    return response.build();
  }

  private static TimePlace place(QuarantinedEvent event) {
    return new TimePlace(
        Times.instant(event.getQuarantinedAt()), UUID.fromString(event.getEvent().getId()));
  }

  private static Instant instant(Timestamp time, String field) {
    if (!Times.isValid(time)) {
      throw ServiceException.invalid(
          field, ErrorReason.INVALID_FIELD, "must be an instant from year 1 to 9999");
    }
    return Times.instant(time);
  }

  private ReleaseQuarantinedEventsResponse releaseQuarantinedEvents(
      ReleaseQuarantinedEventsRequest request) {
    Caller.Tenant tenant = Caller.currentTenant();
    requireDistinct(
        request.getReleasesList().stream().map(Release::getEventId).toList(),
        "releases[%d].event_id");
    EventReader reader = new EventReader(tenant, contracts.of(tenant.id()));
    return work.write(
        request,
        ReleaseQuarantinedEventsResponse.parser(),
        tx ->
            ReleaseQuarantinedEventsResponse.newBuilder()
                .addAllOutcomes(release.record(tx, reader, request.getReleasesList()))
                .build());
  }

  private static void requireDistinct(List<String> ids, String field) {
    Set<UUID> seen = new HashSet<>();
    for (int i = 0; i < ids.size(); i++) {
      if (!seen.add(UUID.fromString(ids.get(i)))) {
        throw ServiceException.invalid(
            field.formatted(i), ErrorReason.INVALID_FIELD, "is named already");
      }
    }
  }

  private DiscardQuarantinedEventsResponse discardQuarantinedEvents(
      DiscardQuarantinedEventsRequest request) {
    requireDistinct(request.getIdsList(), "ids[%d]");
    return work.write(
        request, DiscardQuarantinedEventsResponse.parser(), tx -> discard(tx, request));
  }

  private DiscardQuarantinedEventsResponse discard(
      Transaction tx, DiscardQuarantinedEventsRequest request) {
    List<UUID> ids = request.getIdsList().stream().map(UUID::fromString).toList();
    Set<String> held = new HashSet<>();
    quarantine
        .lock(tx.dsl(), tx.tenant(), ids)
        .forEach(event -> held.add(event.getEvent().getId()));
    for (UUID id : ids) {
      if (!held.contains(id.toString())) {
        throw notFound(id.toString());
      }
      tx.changed(new Change(QuarantineStore.KIND, Op.DELETED, id, null, 1));
    }
    quarantine.delete(tx.dsl(), tx.tenant(), ids);
    quarantine.discardIds(tx.dsl(), tx.tenant(), ids);
    return DiscardQuarantinedEventsResponse.newBuilder().setDiscarded(ids.size()).build();
  }
}
