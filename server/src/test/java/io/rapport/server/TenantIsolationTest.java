package io.rapport.server;

import static io.rapport.server.Given.eventOf;
import static io.rapport.server.Given.eventWith;
import static io.rapport.server.Given.identity;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.rapport.client.RapportClient;
import io.rapport.identity.v1.CheckPermissionRequest;
import io.rapport.identity.v1.CheckSignInRequest;
import io.rapport.identity.v1.GetUserRequest;
import io.rapport.identity.v1.LinkIdentityRequest;
import io.rapport.identity.v1.ListEffectivePermissionsRequest;
import io.rapport.identity.v1.ListTenantsRequest;
import io.rapport.identity.v1.SetPasswordRequest;
import io.rapport.identity.v1.SignInRequest;
import io.rapport.identity.v1.SignInServiceGrpc;
import io.rapport.identity.v1.SignOutAllRequest;
import io.rapport.identity.v1.SignOutRequest;
import io.rapport.identity.v1.TenantServiceGrpc;
import io.rapport.identity.v1.UserPermissionServiceGrpc;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.identity.v1.VerifyPasswordRequest;
import io.rapport.platform.Contract;
import io.rapport.platform.v1.ChangeFilter;
import io.rapport.platform.v1.ChangeServiceGrpc;
import io.rapport.platform.v1.WatchRequest;
import io.rapport.platform.v1.WatchResponse;
import io.rapport.tracking.v1.ActivateContractRequest;
import io.rapport.tracking.v1.BatchTrackEventsRequest;
import io.rapport.tracking.v1.CheckContractRequest;
import io.rapport.tracking.v1.CountEventsRequest;
import io.rapport.tracking.v1.DeactivateContractRequest;
import io.rapport.tracking.v1.DeclarePropertyRequest;
import io.rapport.tracking.v1.DiscardQuarantinedEventsRequest;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventContract;
import io.rapport.tracking.v1.EventContractServiceGrpc;
import io.rapport.tracking.v1.EventFilter;
import io.rapport.tracking.v1.EventGrouping;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.EventProperty;
import io.rapport.tracking.v1.EventPropertyServiceGrpc;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.EventWatchFilter;
import io.rapport.tracking.v1.FieldRule;
import io.rapport.tracking.v1.GetContractRequest;
import io.rapport.tracking.v1.GetEventRequest;
import io.rapport.tracking.v1.GetPropertyRequest;
import io.rapport.tracking.v1.GetQuarantinedEventRequest;
import io.rapport.tracking.v1.GetTrackingSettingsRequest;
import io.rapport.tracking.v1.IngestEventsRequest;
import io.rapport.tracking.v1.ListContractsRequest;
import io.rapport.tracking.v1.ListEventsRequest;
import io.rapport.tracking.v1.ListPropertiesRequest;
import io.rapport.tracking.v1.ListQuarantinedEventsRequest;
import io.rapport.tracking.v1.PropertyFilter;
import io.rapport.tracking.v1.PutContractRequest;
import io.rapport.tracking.v1.QuarantineServiceGrpc;
import io.rapport.tracking.v1.Release;
import io.rapport.tracking.v1.ReleaseQuarantinedEventsRequest;
import io.rapport.tracking.v1.StringSet;
import io.rapport.tracking.v1.TrackEventRequest;
import io.rapport.tracking.v1.TrackingSettings;
import io.rapport.tracking.v1.UpdateTrackingSettingsRequest;
import io.rapport.tracking.v1.WatchEventsRequest;
import io.rapport.tracking.v1.WatchEventsResponse;
import io.rapport.versioning.v1.TrainingDataset;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is another tenant's is to every RPC exactly what is not there at all. */
class TenantIsolationTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final String EVENTS = "rapport.tracking.v1.EventService/";
  private static final String PROPERTIES = "rapport.tracking.v1.EventPropertyService/";
  private static final String CONTRACTS = "rapport.tracking.v1.EventContractService/";
  private static final String QUARANTINE = "rapport.tracking.v1.QuarantineService/";
  private static final String PERMISSIONS = "rapport.identity.v1.UserPermissionService/";
  private static final String SIGN_INS = "rapport.identity.v1.SignInService/";
  private static final String USERS = "rapport.identity.v1.UserService/";

  /** These cross tenants by design and need the right `operator`. */
  private static final Set<String> FOR_OPERATORS =
      Set.of(
          "rapport.identity.v1.TenantService/GetTenant",
          "rapport.identity.v1.TenantService/ListTenants",
          "rapport.identity.v1.TenantService/CreateTenant",
          "rapport.identity.v1.TenantService/UpdateTenant",
          "rapport.search.v1.SearchAuditService/ListAllRecallAudits",
          "rapport.search.v1.SearchAuditService/GetSearchIndexes",
          "rapport.delivery.v1.DoraMarketBenchmarkService/UpsertDoraMarketBenchmark",
          "rapport.delivery.v1.DoraMarketBenchmarkService/BatchUpsertDoraMarketBenchmarks",
          "rapport.delivery.v1.DoraMarketBenchmarkService/DeleteDoraMarketBenchmark",
          "rapport.delivery.v1.DoraMetricInsightService/UpsertDoraMetricInsight",
          "rapport.delivery.v1.DoraMetricInsightService/BatchUpsertDoraMetricInsights",
          "rapport.delivery.v1.DoraMetricInsightService/DeleteDoraMetricInsight");

  /** These answer everybody the same: what they show is no tenant's. */
  private static final Set<String> SHARED =
      Set.of(
          "rapport.delivery.v1.DoraMarketBenchmarkService/GetDoraMarketBenchmark",
          "rapport.delivery.v1.DoraMarketBenchmarkService/ListDoraMarketBenchmarks",
          "rapport.delivery.v1.DoraMetricInsightService/GetDoraMetricInsight",
          "rapport.delivery.v1.DoraMetricInsightService/ListDoraMetricInsights");

  /** Names of one thing of each kind, under which a tenant has something or not. */
  record Names(
      String event,
      String user,
      String subject,
      String property,
      String held,
      String token,
      String alert) {
    static Names fresh() {
      String tag = "x" + Given.id();
      return new Names(
          Given.id(), Given.id(), tag, tag.replace('-', '_'), Given.id(), tag, Given.id());
    }
  }

  record Call(String rpc, BiFunction<Channel, Names, Message> call, boolean succeedsOnOwn) {
    @Override
    public String toString() {
      return rpc;
    }

    /** The answer or error, with the names taken out. */
    String answer(Channel channel, Names names) {
      String answer;
      try {
        answer = call.apply(channel, names).toString();
      } catch (StatusRuntimeException e) {
        answer = Told.of(e).status().toString();
      }
      return answer
          .replace(names.event(), "EVENT")
          .replace(names.user(), "USER")
          .replace(names.subject(), "SUBJECT")
          .replace(names.property(), "PROPERTY")
          .replace(type(names), "TYPE")
          .replace(names.held(), "HELD")
          .replace(names.alert(), "ALERT");
    }
  }

  static Stream<Call> calls() {
    return Stream.of(
            ownCalls(),
            CacheCalls.all(),
            DatasetCalls.all(),
            LearningCalls.all(),
            LeadTimeCalls.all(),
            MonitoringCalls.all(),
            SearchCalls.all(),
            EmbeddingCalls.all(),
            SearchAuditCalls.all())
        .flatMap(calls -> calls);
  }

  private static Stream<Call> ownCalls() {
    return Stream.of(
        new Call(
            EVENTS + "GetEvent",
            (c, n) -> events(c).getEvent(GetEventRequest.newBuilder().setId(n.event()).build()),
            true),
        list((n, f) -> f.setUserId(n.user())),
        list((n, f) -> f.setIdentity(identity(n.subject()))),
        list((n, f) -> f.addProperties(having(n))),
        count((n, r) -> r.setFilter(EventFilter.newBuilder().setUserId(n.user()))),
        count((n, r) -> r.addGroupBy(EventGrouping.newBuilder().setProperty(n.property()))),
        new Call(
            EVENTS + "TrackEvent",
            (c, n) -> events(c).trackEvent(TrackEventRequest.newBuilder().setEvent(by(n)).build()),
            true),
        new Call(
            EVENTS + "BatchTrackEvents",
            (c, n) ->
                events(c)
                    .batchTrackEvents(
                        BatchTrackEventsRequest.newBuilder().addEvents(by(n)).build()),
            true),
        new Call(EVENTS + "IngestEvents", TenantIsolationTest::ingest, true),
        new Call(EVENTS + "WatchEvents", TenantIsolationTest::watchEvents, true),
        new Call("rapport.platform.v1.ChangeService/Watch", TenantIsolationTest::watch, true),
        new Call(
            PROPERTIES + "GetProperty",
            (c, n) ->
                properties(c)
                    .getProperty(GetPropertyRequest.newBuilder().setName(n.property()).build()),
            true),
        new Call(
            PROPERTIES + "ListProperties",
            (c, n) -> properties(c).listProperties(ListPropertiesRequest.getDefaultInstance()),
            true),
        new Call(
            PROPERTIES + "DeclareProperty",
            (c, n) ->
                properties(c)
                    .declareProperty(
                        DeclarePropertyRequest.newBuilder()
                            .setName(n.property())
                            .setType(EventProperty.Type.NUMBER)
                            .setValidateOnly(true)
                            .build())
                    .toBuilder()
                    .clearCreatedAt()
                    .build(),
            false),
        new Call(
            CONTRACTS + "GetContract",
            (c, n) ->
                contracts(c)
                    .getContract(GetContractRequest.newBuilder().setEventType(type(n)).build()),
            true),
        new Call(
            CONTRACTS + "ListContracts",
            (c, n) ->
                contracts(c)
                    .listContracts(ListContractsRequest.newBuilder().setEventType(type(n)).build()),
            true),
        new Call(
            CONTRACTS + "PutContract",
            (c, n) ->
                contracts(c)
                    .putContract(
                        PutContractRequest.newBuilder()
                            .setContract(contract(n))
                            .setValidateOnly(true)
                            .build())
                    .toBuilder()
                    .clearCreatedAt()
                    .build(),
            true),
        new Call(
            CONTRACTS + "ActivateContract",
            (c, n) ->
                contracts(c)
                    .activateContract(
                        ActivateContractRequest.newBuilder()
                            .setEventType(type(n))
                            .setVersion(1)
                            .build()),
            true),
        new Call(
            CONTRACTS + "DeactivateContract",
            (c, n) ->
                contracts(c)
                    .deactivateContract(
                        DeactivateContractRequest.newBuilder().setEventType(type(n)).build()),
            true),
        new Call(
            CONTRACTS + "CheckContract",
            (c, n) ->
                contracts(c)
                    .checkContract(
                        CheckContractRequest.newBuilder()
                            .setStored(GetContractRequest.newBuilder().setEventType(type(n)))
                            .build()),
            true),
        new Call(
            CONTRACTS + "GetTrackingSettings",
            (c, n) ->
                contracts(c).getTrackingSettings(GetTrackingSettingsRequest.getDefaultInstance()),
            false),
        new Call(
            CONTRACTS + "UpdateTrackingSettings",
            (c, n) ->
                contracts(c)
                    .updateTrackingSettings(
                        UpdateTrackingSettingsRequest.newBuilder()
                            .setSettings(TrackingSettings.getDefaultInstance())
                            .build()),
            false),
        new Call(
            QUARANTINE + "GetQuarantinedEvent",
            (c, n) ->
                quarantine(c)
                    .getQuarantinedEvent(
                        GetQuarantinedEventRequest.newBuilder().setId(n.held()).build()),
            true),
        new Call(
            QUARANTINE + "ListQuarantinedEvents",
            (c, n) ->
                quarantine(c)
                    .listQuarantinedEvents(
                        ListQuarantinedEventsRequest.newBuilder().setEventType(type(n)).build()),
            true),
        new Call(
            QUARANTINE + "ReleaseQuarantinedEvents",
            (c, n) ->
                quarantine(c)
                    .releaseQuarantinedEvents(
                        ReleaseQuarantinedEventsRequest.newBuilder()
                            .addReleases(Release.newBuilder().setEventId(n.held()))
                            .build()),
            true),
        new Call(
            QUARANTINE + "DiscardQuarantinedEvents",
            (c, n) ->
                quarantine(c)
                    .discardQuarantinedEvents(
                        DiscardQuarantinedEventsRequest.newBuilder().addIds(n.held()).build()),
            true),
        new Call(
            USERS + "GetUser",
            (c, n) -> users(c).getUser(GetUserRequest.newBuilder().setId(n.user()).build()),
            true),
        new Call(
            USERS + "GetUser",
            (c, n) ->
                users(c)
                    .getUser(
                        GetUserRequest.newBuilder().setIdentity(identity(n.subject())).build()),
            true),
        new Call(
            USERS + "LinkIdentity",
            (c, n) ->
                users(c)
                    .linkIdentity(
                        LinkIdentityRequest.newBuilder()
                            .setUserId(n.user())
                            .setIdentity(identity("linked"))
                            .build()),
            true),
        new Call(
            USERS + "SetPassword",
            (c, n) ->
                users(c)
                    .setPassword(
                        SetPasswordRequest.newBuilder()
                            .setUserId(n.user())
                            .setPassword("Analytical1")
                            .build()),
            true),
        new Call(
            USERS + "VerifyPassword",
            (c, n) ->
                users(c)
                    .verifyPassword(
                        VerifyPasswordRequest.newBuilder()
                            .setUserId(n.user())
                            .setPassword("Analytical1")
                            .build()),
            false),
        new Call(
            PERMISSIONS + "CheckPermission",
            (c, n) ->
                UserPermissionServiceGrpc.newBlockingStub(c)
                    .checkPermission(
                        CheckPermissionRequest.newBuilder()
                            .setUserId(n.user())
                            .setResource("logs")
                            .setAction("read")
                            .build()),
            true),
        new Call(
            PERMISSIONS + "ListEffectivePermissions",
            (c, n) ->
                UserPermissionServiceGrpc.newBlockingStub(c)
                    .listEffectivePermissions(
                        ListEffectivePermissionsRequest.newBuilder().setUserId(n.user()).build()),
            true),
        new Call(
            SIGN_INS + "SignIn",
            (c, n) -> signIns(c).signIn(SignInRequest.newBuilder().setUserId(n.user()).build()),
            true),
        new Call(
            SIGN_INS + "SignOutAll",
            (c, n) ->
                signIns(c).signOutAll(SignOutAllRequest.newBuilder().setUserId(n.user()).build()),
            true),
        new Call(
            SIGN_INS + "CheckSignIn",
            (c, n) ->
                signIns(c).checkSignIn(CheckSignInRequest.newBuilder().setToken(n.token()).build()),
            true),
        new Call(
            SIGN_INS + "SignOut",
            (c, n) -> signIns(c).signOut(SignOutRequest.newBuilder().setToken(n.token()).build()),
            true));
  }

  @ParameterizedTest
  @MethodSource("calls")
  void answersForAnotherTenantsThingExactlyAsForNone(Call call) {
    Names theirs;
    try (RapportClient other = rapport.clientOf(rapport.newTenant())) {
      theirs = make(other);
    }
    Names mine = make(rapport.client());

    String own = call.answer(rapport.channel(), mine);
    String other = call.answer(rapport.channel(), theirs);
    String none = call.answer(rapport.channel(), Names.fresh());

    assertThat(other).isEqualTo(none);
    if (call.succeedsOnOwn() && !call.rpc().endsWith("ListProperties")) {
      assertThat(own).isNotEqualTo(none);
    }
  }

  @Test
  void listsEveryRpcOfTheContract() {
    Set<String> listed = new TreeSet<>(FOR_OPERATORS);
    listed.addAll(SHARED);
    listed.addAll(ResourceIsolationTest.standardMethods());
    calls().forEach(call -> listed.add(call.rpc()));

    Set<String> all = new TreeSet<>();
    for (var service : Contract.load().services()) {
      for (var method : service.getMethods()) {
        all.add(service.getFullName() + "/" + method.getName());
      }
    }

    assertThat(listed).isEqualTo(all);
  }

  @Test
  void letsTenantsRecordTheSameIds() {
    List<Event> events = new ArrayList<>(Given.events(300));

    try (RapportClient other = rapport.clientOf(rapport.newTenant())) {
      for (RapportClient client : List.of(rapport.client(), other)) {
        assertThat(client.events().batch(events))
            .extracting(EventOutcome::getResult)
            .containsOnly(EventOutcome.Result.RECORDED);
      }
      assertThat(other.users().get(identity("ada")).orElseThrow().getId())
          .isNotEqualTo(rapport.client().users().get(identity("ada")).orElseThrow().getId());
    }
  }

  @Test
  void showsTenantsToOperatorsOnly() {
    String token = rapport.tokens().of(rapport.tenant(), "tracking.read tracking.write");
    var stub = TenantServiceGrpc.newBlockingStub(rapport.channel(token));

    Told told = Told.by(() -> stub.listTenants(ListTenantsRequest.getDefaultInstance()));

    assertThat(told.reason()).isEqualTo("RIGHT_MISSING");
  }

  private static Names make(RapportClient client) {
    Names names = Names.fresh();
    client.properties().declare(names.property(), EventProperty.Type.STRING);
    client
        .events()
        .track(
            eventWith("{\"" + names.property() + "\":\"v\"}")
                .setId(names.event())
                .setIdentity(identity(names.subject()))
                .build());
    String user = client.users().get(identity(names.subject())).orElseThrow().getId();
    client.contracts().put(contract(names));
    LearningCalls.make(client, names.subject());
    client
        .events()
        .track(eventOf(names.subject()).setId(names.held()).setEventType(type(names)).build());
    String token =
        signIns(client.channel())
            .signIn(SignInRequest.newBuilder().setUserId(user).build())
            .getToken();
    client
        .datasets()
        .create(
            TrainingDataset.newBuilder()
                .setId(user)
                .setDatasetType("isolated")
                .setThreshold(1)
                .build());
    String alert = MonitoringCalls.make(client.channel(), names, user);
    EmbeddingCalls.make(client.channel(), names);
    return new Names(
        names.event(), user, names.subject(), names.property(), names.held(), token, alert);
  }

  private static String type(Names names) {
    return names.property().substring(0, 30);
  }

  private static EventContract contract(Names names) {
    return EventContract.newBuilder()
        .setEventType(type(names))
        .setMode(EventContract.Mode.QUARANTINE)
        .addFields(FieldRule.newBuilder().setPath("a").setRequired(true))
        .build();
  }

  private static Event by(Names names) {
    return eventOf("x").setId(names.event()).clearIdentity().setUserId(names.user()).build();
  }

  private static PropertyFilter having(Names names) {
    return PropertyFilter.newBuilder()
        .setName(names.property())
        .setStrings(StringSet.newBuilder().addValues("v"))
        .build();
  }

  private static Call list(BiFunction<Names, EventFilter.Builder, EventFilter.Builder> filter) {
    return new Call(
        EVENTS + "ListEvents",
        (c, n) ->
            events(c)
                .listEvents(
                    ListEventsRequest.newBuilder()
                        .setFilter(filter.apply(n, EventFilter.newBuilder()))
                        .build()),
        true);
  }

  private static Call count(
      BiFunction<Names, CountEventsRequest.Builder, CountEventsRequest.Builder> request) {
    return new Call(
        EVENTS + "CountEvents",
        (c, n) -> events(c).countEvents(request.apply(n, CountEventsRequest.newBuilder()).build()),
        true);
  }

  /** Sends one message and waits for its answer. */
  private static Message ingest(Channel channel, Names names) {
    var call =
        ClientCalls.blockingBidiStreamingCall(
            channel, EventServiceGrpc.getIngestEventsMethod(), CallOptions.DEFAULT);
    try {
      call.write(IngestEventsRequest.newBuilder().addEvents(by(names)).build());
      Message answer = call.read();
      call.cancel("done", null);
      return answer;
    } catch (StatusException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** What is there of a user. */
  private static Message watch(Channel channel, Names names) {
    WatchRequest request =
        WatchRequest.newBuilder()
            .setFilter(
                ChangeFilter.newBuilder()
                    .addKinds("event")
                    .addKinds("identity.user")
                    .addUserIds(names.user()))
            .setInitialState(true)
            .build();
    Iterator<WatchResponse> messages =
        ChangeServiceGrpc.newBlockingStub(channel)
            .withDeadlineAfter(20, TimeUnit.SECONDS)
            .watch(request);
    WatchResponse.Builder all = WatchResponse.newBuilder();
    for (WatchResponse some = messages.next();
        !some.getInitialStateDone();
        some = messages.next()) {
      some.getChangesList().forEach(it -> all.addChanges(it.toBuilder().clearPosition()));
    }
    return all.build();
  }

  /** What is there of a user's events. */
  private static Message watchEvents(Channel channel, Names names) {
    WatchEventsRequest request =
        WatchEventsRequest.newBuilder()
            .setFilter(EventWatchFilter.newBuilder().addUserIds(names.user()))
            .setInitialState(true)
            .build();
    Iterator<WatchEventsResponse> messages =
        events(channel).withDeadlineAfter(20, TimeUnit.SECONDS).watchEvents(request);
    WatchEventsResponse.Builder all = WatchEventsResponse.newBuilder();
    for (WatchEventsResponse some = messages.next();
        !some.getInitialStateDone();
        some = messages.next()) {
      all.addAllEvents(some.getEventsList());
    }
    return all.build();
  }

  private static EventServiceGrpc.EventServiceBlockingStub events(Channel channel) {
    return EventServiceGrpc.newBlockingStub(channel);
  }

  private static EventPropertyServiceGrpc.EventPropertyServiceBlockingStub properties(
      Channel channel) {
    return EventPropertyServiceGrpc.newBlockingStub(channel);
  }

  private static EventContractServiceGrpc.EventContractServiceBlockingStub contracts(
      Channel channel) {
    return EventContractServiceGrpc.newBlockingStub(channel);
  }

  private static QuarantineServiceGrpc.QuarantineServiceBlockingStub quarantine(Channel channel) {
    return QuarantineServiceGrpc.newBlockingStub(channel);
  }

  private static SignInServiceGrpc.SignInServiceBlockingStub signIns(Channel channel) {
    return SignInServiceGrpc.newBlockingStub(channel);
  }

  private static UserServiceGrpc.UserServiceBlockingStub users(Channel channel) {
    return UserServiceGrpc.newBlockingStub(channel);
  }
}
