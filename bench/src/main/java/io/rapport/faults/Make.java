package io.rapport.faults;

import io.rapport.identity.v1.CreateTenantRequest;
import io.rapport.identity.v1.Identity;
import io.rapport.identity.v1.LinkIdentityRequest;
import io.rapport.identity.v1.Tenant;
import io.rapport.tracking.v1.BatchTrackEventsRequest;
import io.rapport.tracking.v1.DeclarePropertyRequest;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventProperty;
import io.rapport.tracking.v1.TrackEventRequest;
import java.util.Collection;
import java.util.List;
import java.util.UUID;

/** Requests for invented things. */
final class Make {
  private Make() {}

  static String id() {
    return UUID.randomUUID().toString();
  }

  static Identity identity(String subject) {
    return Identity.newBuilder().setProvider("faults").setSubject(subject).build();
  }

  /** An event of a user, with an id. */
  static Event event(String subject) {
    return nameless(subject).toBuilder().setId(id()).build();
  }

  /** An event without an id. */
  static Event nameless(String subject) {
    return Event.newBuilder().setIdentity(identity(subject)).setEventType("fault").build();
  }

  static TrackEventRequest track(Event event) {
    return TrackEventRequest.newBuilder().setEvent(event).build();
  }

  static BatchTrackEventsRequest batch(Collection<Event> events) {
    return BatchTrackEventsRequest.newBuilder().addAllEvents(events).build();
  }

  /** An event for each user. */
  static BatchTrackEventsRequest eventsOf(List<String> subjects) {
    return batch(subjects.stream().map(Make::event).toList());
  }

  static LinkIdentityRequest link(String requestId, String user, String subject) {
    return LinkIdentityRequest.newBuilder()
        .setRequestId(requestId)
        .setUserId(user)
        .setIdentity(identity(subject))
        .build();
  }

  static DeclarePropertyRequest declare(String requestId, String name) {
    return DeclarePropertyRequest.newBuilder()
        .setRequestId(requestId)
        .setName(name)
        .setType(EventProperty.Type.STRING)
        .build();
  }

  /** Without an id of the tenant, if that is empty. */
  static CreateTenantRequest tenant(String requestId, String id, String name) {
    return CreateTenantRequest.newBuilder()
        .setRequestId(requestId)
        .setTenant(Tenant.newBuilder().setId(id).setDisplayName(name))
        .build();
  }
}
