package io.rapport.client;

import io.rapport.tracking.v1.ActivateContractRequest;
import io.rapport.tracking.v1.CheckContractRequest;
import io.rapport.tracking.v1.CheckContractResponse;
import io.rapport.tracking.v1.DeactivateContractRequest;
import io.rapport.tracking.v1.EventContract;
import io.rapport.tracking.v1.EventContractServiceGrpc;
import io.rapport.tracking.v1.GetContractRequest;
import io.rapport.tracking.v1.GetTrackingSettingsRequest;
import io.rapport.tracking.v1.ListContractsRequest;
import io.rapport.tracking.v1.ListContractsResponse;
import io.rapport.tracking.v1.PutContractRequest;
import io.rapport.tracking.v1.TrackingSettings;
import io.rapport.tracking.v1.UpdateTrackingSettingsRequest;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Says what events must be like, type by type. A change is in force, in every server, at most 2 s
 * after its call has returned. Every method may throw a {@link RapportException}.
 */
public final class ContractsClient {
  private final Calls calls;
  private final Rpc<GetContractRequest, EventContract> get;
  private final Rpc<ListContractsRequest, ListContractsResponse> list;
  private final Rpc<PutContractRequest, EventContract> put;
  private final Rpc<ActivateContractRequest, EventContract> activate;
  private final Rpc<DeactivateContractRequest, EventContract> deactivate;
  private final Rpc<CheckContractRequest, CheckContractResponse> check;
  private final Rpc<GetTrackingSettingsRequest, TrackingSettings> settings;
  private final Rpc<UpdateTrackingSettingsRequest, TrackingSettings> update;

  ContractsClient(Calls calls) {
    this.calls = calls;
    this.get = calls.rpc(EventContractServiceGrpc.getGetContractMethod());
    this.list = calls.rpc(EventContractServiceGrpc.getListContractsMethod());
    this.put = calls.rpc(EventContractServiceGrpc.getPutContractMethod());
    this.activate = calls.rpc(EventContractServiceGrpc.getActivateContractMethod());
    this.deactivate = calls.rpc(EventContractServiceGrpc.getDeactivateContractMethod());
    this.check = calls.rpc(EventContractServiceGrpc.getCheckContractMethod());
    this.settings = calls.rpc(EventContractServiceGrpc.getGetTrackingSettingsMethod());
    this.update = calls.rpc(EventContractServiceGrpc.getUpdateTrackingSettingsMethod());
  }

  /** The contract in force for events of this type; empty if none is. */
  public Optional<EventContract> get(String eventType) {
    return get(GetContractRequest.newBuilder().setEventType(eventType).build());
  }

  /** The contract asked for; empty if there is none. */
  public Optional<EventContract> get(GetContractRequest request) {
    try {
      return Optional.of(calls.call(get, request));
    } catch (NotFoundException absent) {
      return Optional.empty();
    }
  }

  /** The contracts in force, by type, fetched page by page as the stream is read. */
  public Stream<EventContract> list() {
    return list(ListContractsRequest.newBuilder().setActiveOnly(true).build());
  }

  /** The contracts of a list, from the page that the request names to the last one. */
  public Stream<EventContract> list(ListContractsRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          ListContractsResponse page =
              calls.call(list, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getContractsList(), page.getNextPageToken());
        });
  }

  /**
   * Adds a contract as the next version of its type, and puts it in force.
   *
   * @return the contract with its version
   * @throws InvalidArgumentException if it can't be judged by, such as for a pattern that is none
   */
  public EventContract put(EventContract contract) {
    return put(PutContractRequest.newBuilder().setContract(contract).setActivate(true).build());
  }

  /** Adds a contract, in force or not, or only checks it; see {@link #put(EventContract)}. */
  public EventContract put(PutContractRequest request) {
    return calls.call(put, request);
  }

  /**
   * Puts a version in force, in place of the one that is.
   *
   * @param version 0: the service's own
   * @throws NotFoundException if there is no such version
   */
  public EventContract activate(String eventType, int version) {
    return calls.call(
        activate,
        ActivateContractRequest.newBuilder().setEventType(eventType).setVersion(version).build());
  }

  /**
   * Puts no contract in force: events of this type are recorded as they are.
   *
   * @return the one that was
   * @throws NotFoundException if none is in force
   */
  public EventContract deactivate(String eventType) {
    return calls.call(
        deactivate, DeactivateContractRequest.newBuilder().setEventType(eventType).build());
  }

  /**
   * Judges recorded events by a contract and changes nothing. The answer's {@code next_page_token}
   * says where to go on if there was no time for all of them.
   */
  public CheckContractResponse check(CheckContractRequest request) {
    return calls.call(check, request);
  }

  /** The same, for at most this long. */
  public CheckContractResponse check(CheckContractRequest request, Duration time) {
    return calls.call(check.within(time), request);
  }

  /** How the tenant's events are taken. */
  public TrackingSettings settings() {
    return calls.call(settings, GetTrackingSettingsRequest.getDefaultInstance());
  }

  /** Changes how the tenant's events are taken; what is not set stays as it is. */
  public TrackingSettings update(TrackingSettings changed) {
    return calls.call(
        update, UpdateTrackingSettingsRequest.newBuilder().setSettings(changed).build());
  }
}
