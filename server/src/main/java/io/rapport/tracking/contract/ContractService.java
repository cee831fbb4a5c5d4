package io.rapport.tracking.contract;

import com.google.protobuf.Timestamp;
import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Caller;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.NamePage;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Times;
import io.rapport.platform.Transaction;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.tracking.contract.ContractStore.ContractedType;
import io.rapport.tracking.contract.ContractStore.Listing;
import io.rapport.tracking.contract.ContractStore.Span;
import io.rapport.tracking.v1.ActivateContractRequest;
import io.rapport.tracking.v1.CheckContractRequest;
import io.rapport.tracking.v1.CheckContractResponse;
import io.rapport.tracking.v1.DeactivateContractRequest;
import io.rapport.tracking.v1.EventContract;
import io.rapport.tracking.v1.EventContract.State;
import io.rapport.tracking.v1.EventContractServiceGrpc;
import io.rapport.tracking.v1.GetContractRequest;
import io.rapport.tracking.v1.GetTrackingSettingsRequest;
import io.rapport.tracking.v1.ListContractsRequest;
import io.rapport.tracking.v1.ListContractsResponse;
import io.rapport.tracking.v1.PutContractRequest;
import io.rapport.tracking.v1.TrackingSettings;
import io.rapport.tracking.v1.TrackingSettings.UnknownTypes;
import io.rapport.tracking.v1.UpdateTrackingSettingsRequest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Predicate;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/** The RPCs of contracts. */
final class ContractService {
  private static final String KIND = "tracking.event_contract";
  private static final String SETTINGS_KIND = "tracking.tracking_settings";
  private static final int MAX_TYPES = 200;
  private static final int MAX_VERSIONS = 1000;
  private static final Comparator<EventContract> ORDER =
      Comparator.comparing(EventContract::getEventType).thenComparingInt(EventContract::getVersion);

  private final TenantDb db;
  private final UnitOfWork work;
  private final ContractStore store;
  private final Contracts contracts;
  private final HistoryCheck history;
  private final Predicate<String> isSensitive;

  /**
   * @param isSensitive tells keys that events never have, because they name a secret
   */
  ContractService(
      TenantDb db,
      UnitOfWork work,
      ContractStore store,
      Contracts contracts,
      HistoryCheck history,
      Predicate<String> isSensitive) {
    this.db = db;
    this.work = work;
    this.store = store;
    this.contracts = contracts;
    this.history = history;
    this.isSensitive = isSensitive;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(EventContractServiceGrpc.getServiceDescriptor())
        .unary(EventContractServiceGrpc.getGetContractMethod(), this::getContract)
        .unary(EventContractServiceGrpc.getListContractsMethod(), this::listContracts)
        .unary(EventContractServiceGrpc.getPutContractMethod(), this::putContract)
        .unary(EventContractServiceGrpc.getActivateContractMethod(), this::activateContract)
        .unary(EventContractServiceGrpc.getDeactivateContractMethod(), this::deactivateContract)
        .unary(EventContractServiceGrpc.getCheckContractMethod(), this::checkContract)
        .unary(EventContractServiceGrpc.getGetTrackingSettingsMethod(), this::getTrackingSettings)
        .unary(
            EventContractServiceGrpc.getUpdateTrackingSettingsMethod(),
            this::updateTrackingSettings)
        .build();
  }

  private EventContract getContract(GetContractRequest request) {
    UUID tenant = Caller.currentTenant().id();
    return db.read(tenant, dsl -> require(dsl, tenant, request));
  }

  private EventContract require(DSLContext dsl, UUID tenant, GetContractRequest request) {
    String type = request.getEventType();
    Integer active = activeVersion(store.findType(dsl, tenant, type), type);
    Integer version = request.hasVersion() ? Integer.valueOf(request.getVersion()) : active;
    return Optional.ofNullable(version)
        .flatMap(it -> find(dsl, tenant, type, it, active))
        .orElseThrow(() -> notFound(type, version));
  }

  private Optional<EventContract> find(
      DSLContext dsl, UUID tenant, String type, int version, @Nullable Integer active) {
    if (version != BuiltInContracts.VERSION) {
      return store.find(dsl, tenant, type, version);
    }
    return Optional.ofNullable(BuiltInContracts.find(type))
        .map(it -> builtIn(it.contract(), active != null && active == version));
  }

  private static EventContract builtIn(EventContract contract, boolean active) {
    return contract.toBuilder().setState(active ? State.ACTIVE : State.INACTIVE).build();
  }

  /** Where the tenant has no say, the service's own contract is in force, if there is one. */
  private static @Nullable Integer activeVersion(Optional<ContractedType> row, String type) {
    if (row.isPresent()) {
      return row.get().activeVersion();
    }
    return BuiltInContracts.find(type) == null ? null : BuiltInContracts.VERSION;
  }

  private static ServiceException notFound(String type, @Nullable Integer version) {
    ServiceException error = ServiceException.notFound("contract", type);
    return version == null ? error : error.with("version", version.toString());
  }

  private ListContractsResponse listContracts(ListContractsRequest request) {
    UUID tenant = Caller.currentTenant().id();
    NamePage<EventContract> page =
        new NamePage<>(
            request.toBuilder().clearPageSize().clearPageToken().build(),
            request.getPageSize(),
            request.getPageToken(),
            it -> it.getEventType() + "/" + it.getVersion());
    Listing listing = listing(request, page);
    List<EventContract> found =
        db.read(
            tenant,
            dsl -> {
              List<EventContract> all = new ArrayList<>(store.list(dsl, tenant, listing));
              all.addAll(builtIns(listing, store.activeVersions(dsl, tenant)));
              return all.stream().sorted(ORDER).limit(listing.limit()).toList();
            });
    return ListContractsResponse.newBuilder()
        .addAllContracts(page.items(found))
        .setNextPageToken(page.nextToken(found))
        .build();
  }

  private static Listing listing(ListContractsRequest request, NamePage<EventContract> page) {
    String after = page.after();
    int slash = after.indexOf('/');
    return new Listing(
        request.getEventType(),
        request.getActiveOnly(),
        after.isEmpty() ? "" : after.substring(0, slash),
        after.isEmpty() ? -1 : Integer.parseInt(after.substring(slash + 1)),
        page.limit());
  }

  private static List<EventContract> builtIns(
      Listing listing, Map<String, Optional<Integer>> activeVersions) {
    List<EventContract> wanted = new ArrayList<>();
    for (ReadyContract known : BuiltInContracts.all()) {
      EventContract contract = known.contract();
      String type = contract.getEventType();
      boolean active =
          activeVersions
              .getOrDefault(type, Optional.of(BuiltInContracts.VERSION))
              .filter(it -> it == BuiltInContracts.VERSION)
              .isPresent();
      boolean after = type.compareTo(listing.afterType()) > 0;
      boolean ofType = listing.type().isEmpty() || listing.type().equals(type);
      if (after && ofType && (active || !listing.activeOnly())) {
        wanted.add(builtIn(contract, active));
      }
    }
    return wanted;
  }

  private EventContract putContract(PutContractRequest request) {
    EventContract contract =
        request.getContract().toBuilder().clearVersion().clearState().clearCreatedAt().build();
    ContractRules.require(contract, isSensitive, "contract");
    EventContract put =
        work.write(request, EventContract.parser(), tx -> put(tx, contract, request.getActivate()));
    applied(request.getValidateOnly());
    return put;
  }

  /** Contracts of a tenant are changed one transaction at a time: counting comes first. */
  private EventContract put(Transaction tx, EventContract contract, boolean activate) {
    UUID tenant = tx.tenant();
    String name = contract.getEventType();
    store.countChange(tx.dsl(), tenant, null);
    ContractedType type = typeOf(tx, name);
    requireRoom(type.lastVersion() < MAX_VERSIONS, "versions of this contract", MAX_VERSIONS);
    int version = type.lastVersion() + 1;
    Integer active = activate ? Integer.valueOf(version) : type.activeVersion();
    long revision = store.changeType(tx.dsl(), tenant, name, version, active);
    store.insert(tx.dsl(), tenant, contract.toBuilder().setVersion(version).build());
    tx.changed(new Change(KIND, Op.CREATED, type.id(), null, revision));
    return store.find(tx.dsl(), tenant, name, version).orElseThrow();
  }

  private ContractedType typeOf(Transaction tx, String name) {
    Optional<ContractedType> before = store.findType(tx.dsl(), tx.tenant(), name);
    if (before.isPresent()) {
      return before.get();
    }
    requireRoom(
        store.countTypes(tx.dsl(), tx.tenant()) < MAX_TYPES, "types with contracts", MAX_TYPES);
    store.insertType(tx.dsl(), tx.tenant(), name, activeVersion(before, name));
    return store.findType(tx.dsl(), tx.tenant(), name).orElseThrow();
  }

  private static void requireRoom(boolean room, String what, int most) {
    if (!room) {
      throw ServiceException.failedPrecondition(
              ErrorReason.CONTRACT_LIMIT, "the tenant has as many " + what + " as it may have")
          .with("limit", String.valueOf(most));
    }
  }

  private EventContract activateContract(ActivateContractRequest request) {
    EventContract answer =
        work.write(
            request,
            EventContract.parser(),
            tx -> activate(tx, request.getEventType(), request.getVersion()));
    applied(request.getValidateOnly());
    return answer;
  }

  private EventContract activate(Transaction tx, String name, int version) {
    store.countChange(tx.dsl(), tx.tenant(), null);
    Optional<ContractedType> before = store.findType(tx.dsl(), tx.tenant(), name);
    Integer active = activeVersion(before, name);
    if (find(tx.dsl(), tx.tenant(), name, version, active).isEmpty()) {
      throw notFound(name, version);
    }
    if (!Objects.equals(active, version)) {
      switchTo(tx, name, version);
    }
    return find(tx.dsl(), tx.tenant(), name, version, version).orElseThrow();
  }

  private EventContract deactivateContract(DeactivateContractRequest request) {
    EventContract answer =
        work.write(request, EventContract.parser(), tx -> deactivate(tx, request.getEventType()));
    applied(request.getValidateOnly());
    return answer;
  }

  private EventContract deactivate(Transaction tx, String name) {
    store.countChange(tx.dsl(), tx.tenant(), null);
    Optional<ContractedType> before = store.findType(tx.dsl(), tx.tenant(), name);
    Integer active = activeVersion(before, name);
    if (active == null) {
      throw notFound(name, null);
    }
    switchTo(tx, name, null);
    return find(tx.dsl(), tx.tenant(), name, active, null).orElseThrow();
  }

  private void switchTo(Transaction tx, String name, @Nullable Integer version) {
    ContractedType type = typeOf(tx, name);
    long revision = store.changeType(tx.dsl(), tx.tenant(), name, type.lastVersion(), version);
    tx.changed(new Change(KIND, Op.UPDATED, type.id(), null, revision));
  }

  /** What this server's callers send next is judged by what they have just changed. */
  private void applied(boolean validateOnly) {
    if (!validateOnly) {
      contracts.changed(Caller.currentTenant().id());
    }
  }

  private CheckContractResponse checkContract(CheckContractRequest request) {
    UUID tenant = Caller.currentTenant().id();
    EventContract contract =
        switch (request.getByCase()) {
          case STORED -> db.read(tenant, dsl -> require(dsl, tenant, request.getStored()));
          case CONTRACT -> request.getContract();
          case BY_NOT_SET -> throw new IllegalStateException("the rules need a contract");
        };
    if (request.hasContract()) {
      ContractRules.require(contract, isSensitive, "contract");
    }
    Span span =
        new Span(
            request.hasFrom() ? instant(request.getFrom(), "from") : null,
            request.hasTo() ? instant(request.getTo(), "to") : null);
    return history.check(request, new ReadyContract(contract), span);
  }

  private static Instant instant(Timestamp time, String field) {
    if (!Times.isValid(time)) {
      throw ServiceException.invalid(
          field, ErrorReason.INVALID_FIELD, "must be an instant from year 1 to 9999");
    }
    return Times.instant(time);
  }

  private TrackingSettings getTrackingSettings(GetTrackingSettingsRequest request) {
    UUID tenant = Caller.currentTenant().id();
    return settings(db.read(tenant, dsl -> store.unknownTypes(dsl, tenant)));
  }

  private TrackingSettings updateTrackingSettings(UpdateTrackingSettingsRequest request) {
    TrackingSettings answer =
        work.write(
            request,
            TrackingSettings.parser(),
            tx -> update(tx, request.getSettings().getUnknownTypes()));
    applied(request.getValidateOnly());
    return answer;
  }

  private TrackingSettings update(Transaction tx, UnknownTypes types) {
    if (types != UnknownTypes.UNKNOWN_TYPES_UNSPECIFIED) {
      long revision = store.countChange(tx.dsl(), tx.tenant(), types);
      tx.changed(new Change(SETTINGS_KIND, Op.UPDATED, tx.tenant(), null, revision));
    }
    return settings(store.unknownTypes(tx.dsl(), tx.tenant()));
  }

  private static TrackingSettings settings(UnknownTypes unknownTypes) {
    return TrackingSettings.newBuilder().setUnknownTypes(unknownTypes).build();
  }
}
