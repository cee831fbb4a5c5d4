package io.rapport.client;

import io.rapport.tracking.v1.DiscardQuarantinedEventsRequest;
import io.rapport.tracking.v1.DiscardQuarantinedEventsResponse;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.GetQuarantinedEventRequest;
import io.rapport.tracking.v1.ListQuarantinedEventsRequest;
import io.rapport.tracking.v1.ListQuarantinedEventsResponse;
import io.rapport.tracking.v1.QuarantineServiceGrpc;
import io.rapport.tracking.v1.QuarantinedEvent;
import io.rapport.tracking.v1.Release;
import io.rapport.tracking.v1.ReleaseQuarantinedEventsRequest;
import io.rapport.tracking.v1.ReleaseQuarantinedEventsResponse;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The events that are kept apart because they break a contract. Every method may throw a {@link
 * RapportException}.
 */
public final class QuarantineClient {
  private final Calls calls;
  private final Rpc<GetQuarantinedEventRequest, QuarantinedEvent> get;
  private final Rpc<ListQuarantinedEventsRequest, ListQuarantinedEventsResponse> list;
  private final Rpc<ReleaseQuarantinedEventsRequest, ReleaseQuarantinedEventsResponse> release;
  private final Rpc<DiscardQuarantinedEventsRequest, DiscardQuarantinedEventsResponse> discard;

  QuarantineClient(Calls calls) {
    this.calls = calls;
    this.get = calls.rpc(QuarantineServiceGrpc.getGetQuarantinedEventMethod());
    this.list = calls.rpc(QuarantineServiceGrpc.getListQuarantinedEventsMethod());
    this.release = calls.batch(QuarantineServiceGrpc.getReleaseQuarantinedEventsMethod());
    this.discard = calls.batch(QuarantineServiceGrpc.getDiscardQuarantinedEventsMethod());
  }

  /** The event with this UUID, its data as a Struct; empty if it is not in quarantine. */
  public Optional<QuarantinedEvent> get(String id) {
    try {
      return Optional.of(
          calls.call(get, GetQuarantinedEventRequest.newBuilder().setId(id).build()));
    } catch (NotFoundException absent) {
      return Optional.empty();
    }
  }

  /** All events in quarantine, the last ones first, fetched page by page as the stream is read. */
  public Stream<QuarantinedEvent> list() {
    return list(ListQuarantinedEventsRequest.getDefaultInstance());
  }

  /** The events of a list, from the page that the request names to the last one. */
  public Stream<QuarantinedEvent> list(ListQuarantinedEventsRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          ListQuarantinedEventsResponse page =
              calls.call(list, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getEventsList(), page.getNextPageToken());
        });
  }

  /**
   * Records events out of quarantine, all of them in one commit or none. One with corrected data
   * must keep the contract in force; one without is recorded as it is.
   *
   * @param releases 1 to 1,000, of at most 4 MiB in all
   * @return one outcome for each, in the order given
   * @throws NotFoundException if one is not in quarantine
   * @throws InvalidArgumentException with reason BATCH_REFUSED if one can't be recorded
   */
  public List<EventOutcome> release(List<Release> releases) {
    return calls
        .call(
            release, ReleaseQuarantinedEventsRequest.newBuilder().addAllReleases(releases).build())
        .getOutcomesList();
  }

  /**
   * Deletes events out of quarantine, all of them or none. The same events sent again are refused.
   *
   * @param ids 1 to 1,000
   * @throws NotFoundException if one is not in quarantine
   */
  public void discard(List<String> ids) {
    calls.call(discard, DiscardQuarantinedEventsRequest.newBuilder().addAllIds(ids).build());
  }
}
