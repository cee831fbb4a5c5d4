package io.rapport.client;

import io.rapport.tracking.v1.DeclarePropertyRequest;
import io.rapport.tracking.v1.EventProperty;
import io.rapport.tracking.v1.EventPropertyServiceGrpc;
import io.rapport.tracking.v1.GetPropertyRequest;
import io.rapport.tracking.v1.ListPropertiesRequest;
import io.rapport.tracking.v1.ListPropertiesResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Declares which properties of events' data can be filtered and counted by. Every method may throw
 * a {@link RapportException}.
 */
public final class PropertiesClient {
  private final Calls calls;
  private final Rpc<GetPropertyRequest, EventProperty> get;
  private final Rpc<ListPropertiesRequest, ListPropertiesResponse> list;
  private final Rpc<DeclarePropertyRequest, EventProperty> declare;

  PropertiesClient(Calls calls) {
    this.calls = calls;
    this.get = calls.rpc(EventPropertyServiceGrpc.getGetPropertyMethod());
    this.list = calls.rpc(EventPropertyServiceGrpc.getListPropertiesMethod());
    this.declare = calls.rpc(EventPropertyServiceGrpc.getDeclarePropertyMethod());
  }

  /** The declared property of this name; empty if it is not declared. */
  public Optional<EventProperty> get(String name) {
    try {
      return Optional.of(calls.call(get, GetPropertyRequest.newBuilder().setName(name).build()));
    } catch (NotFoundException absent) {
      return Optional.empty();
    }
  }

  /** The declared properties, by name, fetched page by page as the stream is read. */
  public Stream<EventProperty> list() {
    return Pages.stream(
        "",
        token -> {
          ListPropertiesResponse page =
              calls.call(list, ListPropertiesRequest.newBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getPropertiesList(), page.getNextPageToken());
        });
  }

  /**
   * Makes a property filterable; saying it again changes nothing.
   *
   * @return the property, with state INDEXING if the call's time (10 s unless set otherwise) was
   *     over before older events were indexed; the service goes on
   * @throws FailedPreconditionException if it is declared with another type, or the tenant has as
   *     many as it may have
   */
  public EventProperty declare(String name, EventProperty.Type type) {
    return declare(name, type, declare.deadline());
  }

  /** The same, waiting for the index at most this long. */
  public EventProperty declare(String name, EventProperty.Type type, Duration wait) {
    DeclarePropertyRequest request =
        DeclarePropertyRequest.newBuilder().setName(name).setType(type).build();
    return calls.call(declare.within(wait), request);
  }
}
