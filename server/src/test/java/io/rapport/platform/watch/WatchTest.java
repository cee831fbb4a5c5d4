package io.rapport.platform.watch;

import static io.rapport.server.Given.event;
import static io.rapport.server.Given.eventOf;
import static io.rapport.server.Given.events;
import static io.rapport.server.Given.identity;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.google.rpc.Code;
import io.rapport.client.EventWriter;
import io.rapport.client.RapportClient;
import io.rapport.client.Watch;
import io.rapport.client.WatchBatch;
import io.rapport.client.WatchOptions;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.UserPermission;
import io.rapport.platform.v1.Change;
import io.rapport.platform.v1.Change.Op;
import io.rapport.platform.v1.ChangeFilter;
import io.rapport.platform.v1.ChangeServiceGrpc;
import io.rapport.platform.v1.EntityKey;
import io.rapport.platform.v1.WatchRequest;
import io.rapport.platform.v1.WatchResponse;
import io.rapport.platform.v1.WatchStart;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.RapportServer;
import io.rapport.server.Told;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventFilter;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.EventProperty;
import io.rapport.tracking.v1.EventWatchFilter;
import io.rapport.tracking.v1.GetEventRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Everything that changes, once and in order. */
@Timeout(60)
class WatchTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final String USER = "identity.user";
  private static final ChangeFilter EVENTS_AND_USERS =
      ChangeFilter.newBuilder().addKinds("event").addKinds(USER).build();

  @Test
  void tellsAllWritersChangesOnceAndInOneOrderAtTwoServers() throws Exception {
    try (RapportServer other = rapport.serve(Map.of());
        RapportClient there = rapport.clientOf(other);
        Watch<Change> here =
            rapport.client().changes().watch(EVENTS_AND_USERS, WatchOptions.fromNow());
        Watch<Change> afar = there.changes().watch(EVENTS_AND_USERS, WatchOptions.fromNow())) {
      Set<String> written = write(List.of(rapport.client(), there));

      List<Change> seenHere = take(here, written.size());
      List<Change> seenAfar = take(afar, written.size());

      assertThat(seenHere).extracting(Change::getId).doesNotHaveDuplicates();
      assertThat(ids(seenHere)).isEqualTo(written);
      assertThat(seenHere)
          .isSortedAccordingTo(
              Comparator.comparing(Change::getPosition)
                  .thenComparing(Change::getKind)
                  .thenComparing(Change::getId));
      assertThat(seenAfar).isEqualTo(seenHere);
    }
  }

  /** Single events, batches and a stream, at the same time, of users who are there. */
  private static Set<String> write(List<RapportClient> clients) throws Exception {
    for (int i = 0; i < 4; i++) {
      rapport.client().events().track(eventOf("user-" + i).build());
    }
    Set<String> written = new HashSet<>();
    rapport
        .client()
        .events()
        .list(EventFilter.getDefaultInstance())
        .forEach(event -> {
          written.add(event.getId());
          written.add(event.getUserId());
        });
    List<Future<List<String>>> results = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (RapportClient client : clients) {
        results.add(threads.submit(() -> track(client, "user-0")));
        results.add(threads.submit(() -> track(client, "user-1")));
        results.add(threads.submit(() -> batch(client)));
        results.add(threads.submit(() -> ingest(client)));
      }
    }
    for (Future<List<String>> result : results) {
      written.addAll(result.get());
    }
    return written;
  }

  private static List<String> track(RapportClient client, String subject) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      ids.add(client.events().track(eventOf(subject).build()).getEventId());
    }
    return ids;
  }

  private static List<String> batch(RapportClient client) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      client
          .events()
          .batch(
              events(300).stream()
                  .map(e -> e.toBuilder().setIdentity(identity("user-2")).build())
                  .toList())
          .forEach(outcome -> ids.add(outcome.getEventId()));
    }
    return ids;
  }

  private static List<String> ingest(RapportClient client) {
    List<String> ids = new ArrayList<>();
    try (EventWriter writer = client.events().ingest()) {
      for (int i = 0; i < 3000; i++) {
        Event event = eventOf("user-3").build();
        ids.add(event.getId());
        writer.write(event);
      }
    }
    return ids;
  }

  /** Takes batches until they have so many items. */
  private static void takeItems(Watch<Change> watch, int items, List<WatchBatch<Change>> taken) {
    int seen = 0;
    while (seen < items) {
      taken.add(watch.next());
      seen += taken.getLast().items().size();
    }
  }

  @Test
  void resumesAfterEveryCursorOfARun() {
    List<WatchBatch<Change>> run = new ArrayList<>();
    try (Watch<Change> watch = rapport.client().changes().watch(WatchOptions.fromNow())) {
      run.add(watch.next());
      for (int i = 0; i < 5; i++) {
        rapport.client().events().track(eventOf("user-" + i).build());
        takeItems(watch, 2, run);
      }
      rapport.client().events().batchAllOrNothing(events(2500));
      rapport.client().users().link(user("user-1"), identity("other-1"));
      takeItems(watch, 2500 + 1 + 1, run);
    }
    List<Change> all = run.stream().flatMap(batch -> batch.items().stream()).toList();
    assertThat(run).as("inside the batch too").hasSizeGreaterThan(6);

    int before = 0;
    for (WatchBatch<Change> batch : run) {
      before += batch.items().size();
      try (Watch<Change> resumed =
          rapport.client().changes().watch(WatchOptions.after(batch.cursor()))) {
        assertThat(take(resumed, all.size() - before)).isEqualTo(all.subList(before, all.size()));
      }
    }
    try (Watch<Change> whole = rapport.client().changes().watch(WatchOptions.fromOldestKept())) {
      assertThat(take(whole, all.size())).isEqualTo(all);
    }
  }

  @Test
  void resumesInsideACommit() {
    rapport.client().events().batchAllOrNothing(events(2500));
    Iterator<WatchResponse> messages =
        stub().watch(WatchRequest.newBuilder().setStart(oldestKept()).build());
    messages.next(); // the checkpoint
    WatchResponse first = messages.next();
    WatchResponse second = messages.next();

    Iterator<WatchResponse> resumed =
        stub().watch(WatchRequest.newBuilder().setStart(after(first.getCursor())).build());
    resumed.next();

    assertThat(first.getChangesCount()).isEqualTo(1000);
    assertThat(resumed.next().getChangesList()).isEqualTo(second.getChangesList());
  }

  @Test
  void givesAllThatACommitChangesOnePosition() {
    try (Watch<Change> watch = watchAll()) {
      rapport.client().events().track(eventOf("ada").build());

      List<Change> changes = take(watch, 3);
      assertThat(changes)
          .extracting(Change::getKind)
          .containsExactlyInAnyOrder("event", USER, "identity.identity_link");
      assertThat(changes)
          .extracting(Change::getPosition)
          .containsOnly(rapport.client().position().orElseThrow());
    }
  }

  @Test
  void tellsOnlyTheKindsThatAreAskedFor() {
    ChangeFilter users = ChangeFilter.newBuilder().addKinds(USER).build();
    try (Watch<Change> watch = rapport.client().changes().watch(users, WatchOptions.fromNow())) {
      rapport.client().events().track(eventOf("ada").build());
      rapport.client().properties().declare("path", EventProperty.Type.STRING);
      rapport.client().events().track(eventOf("bob").build());

      assertThat(take(watch, 2))
          .extracting(Change::getId)
          .containsExactly(user("ada"), user("bob"));
    }
  }

  @Test
  void tellsOfAUserWhatItsAliasesDo() {
    rapport.client().events().track(eventOf("ada").build());
    rapport.client().events().track(eventOf("visitor").build());
    rapport.client().users().link(user("ada"), identity("visitor"));
    ChangeFilter ofAda =
        ChangeFilter.newBuilder().addKinds("event").addUserIds(user("ada")).build();
    try (Watch<Change> watch = rapport.client().changes().watch(ofAda, WatchOptions.fromNow())) {
      rapport.client().events().track(eventOf("bob").build());
      EventOutcome alias = rapport.client().events().track(eventOf("visitor").build());
      EventOutcome own = rapport.client().events().track(eventOf("ada").build());

      assertThat(take(watch, 2))
          .extracting(Change::getId)
          .containsExactly(alias.getEventId(), own.getEventId());
    }
  }

  @Test
  void followsAUserWhoBecomesAnAliasMeanwhile() {
    rapport.client().events().track(eventOf("ada").build());
    rapport.client().events().track(eventOf("visitor").build());
    ChangeFilter ofAda =
        ChangeFilter.newBuilder().addKinds("event").addUserIds(user("ada")).build();
    try (Watch<Change> watch = rapport.client().changes().watch(ofAda, WatchOptions.fromNow())) {
      rapport.client().events().track(eventOf("visitor").build());
      rapport.client().users().link(user("ada"), identity("visitor"));
      EventOutcome after = rapport.client().events().track(eventOf("visitor").build());

      assertThat(take(watch, 1)).extracting(Change::getId).containsExactly(after.getEventId());
    }
  }

  @Test
  void tellsOfOneEntityAlone() {
    rapport.client().events().track(eventOf("ada").build());
    ChangeFilter ada =
        ChangeFilter.newBuilder()
            .setKey(EntityKey.newBuilder().setKind(USER).setId(user("ada")))
            .build();
    try (Watch<Change> watch = rapport.client().changes().watch(ada, WatchOptions.fromNow())) {
      rapport.client().events().track(eventOf("bob").build());
      rapport.client().events().track(eventOf("ada").build());
      rapport.client().users().link(user("ada"), identity("ada-2"));

      Change change = take(watch, 1).getFirst();
      assertThat(change.getOp()).isEqualTo(Op.UPDATED);
      assertThat(change.getId()).isEqualTo(user("ada"));
      assertThat(change.getUserId()).isEqualTo(user("ada"));
      assertThat(rapport.client().position())
          .hasValueSatisfying(
              position -> assertThat(change.getPosition()).isLessThanOrEqualTo(position));
    }
  }

  @Test
  void sendsCheckpointsOfWhatTheFilterLeavesOut() {
    ChangeFilter none = ChangeFilter.newBuilder().addKinds("nothing").build();
    WatchOptions often = WatchOptions.fromNow().withCheckpointInterval(Duration.ofMillis(100));
    String cursor;
    try (Watch<Change> watch = rapport.client().changes().watch(none, often)) {
      WatchBatch<Change> begin = watch.next();
      rapport.client().events().track(event().build());
      WatchBatch<Change> later = watch.next();
      while (later.cursor().equals(begin.cursor())) {
        later = watch.next();
      }

      assertThat(later.items()).isEmpty();
      cursor = later.cursor();
    }
    EventOutcome next = rapport.client().events().track(event().build());
    try (Watch<Change> resumed = rapport.client().changes().watch(WatchOptions.after(cursor))) {
      assertThat(take(resumed, 1)).extracting(Change::getId).containsExactly(next.getEventId());
    }
  }

  @Test
  void beginsWithWhatIsThereAndGoesOnWithoutAGap() throws Exception {
    rapport.client().events().batch(events(2500));
    try (ExecutorService writer = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Set<String>> writing = writer.submit(() -> write(List.of(rapport.client())));
      try (Watch<Change> watch =
          rapport
              .client()
              .changes()
              .watch(EVENTS_AND_USERS, WatchOptions.fromNow().withInitialState())) {
        Set<String> expected = new HashSet<>();
        List<Change> seen = new ArrayList<>();
        boolean done = false;
        while (!done || seen.size() < expected.size()) {
          WatchBatch<Change> batch = watch.next();
          boolean initial = !done;
          assertThat(batch.items()).allMatch(change -> initial == (change.getOp() == Op.PRESENT));
          seen.addAll(batch.items());
          done |= batch.initialStateDone();
          if (done && expected.isEmpty()) {
            expected.addAll(writing.get());
            rapport
                .client()
                .events()
                .list(EventFilter.getDefaultInstance())
                .forEach(event -> {
                  expected.add(event.getId());
                  expected.add(event.getUserId());
                });
          }
        }
        assertThat(seen).extracting(Change::getId).doesNotHaveDuplicates();
        assertThat(ids(seen)).isEqualTo(expected);
      }
    }
  }

  @Test
  void beginsWithEntitiesOfAnyKind() {
    rapport.client().events().track(eventOf("ada").build());
    rapport.client().events().track(eventOf("bob").build());
    UserPermission permission =
        rapport
            .client()
            .permissions()
            .upsert(
                UserPermission.newBuilder()
                    .setUserId(user("ada"))
                    .setResource("projects")
                    .setAction("delete")
                    .setGranted(true)
                    .build());
    rapport.client().properties().declare("path", EventProperty.Type.STRING);
    ChangeFilter.Builder filter =
        ChangeFilter.newBuilder()
            .addKinds("identity.user_permission")
            .addKinds("identity.identity_link")
            .addKinds("identity.sign_in")
            .addKinds("identity.system_setting")
            .addKinds("tracking.event_property")
            .addKinds("tracking.quarantined_event");

    List<Change> all = present(filter.build());
    List<Change> ofAda = present(filter.addUserIds(user("ada")).build());

    assertThat(all)
        .extracting(Change::getKind)
        .containsExactlyInAnyOrder(
            "identity.user_permission",
            "identity.identity_link",
            "identity.identity_link",
            "tracking.event_property");
    assertThat(ofAda)
        .extracting(Change::getKind, Change::getUserId)
        .containsExactlyInAnyOrder(
            tuple("identity.user_permission", user("ada")),
            tuple("identity.identity_link", user("ada")));
    assertThat(all)
        .filteredOn(change -> change.getKind().equals("identity.user_permission"))
        .extracting(Change::getId, Change::getRevision)
        .containsExactly(tuple(permission.getId(), 1L));
  }

  private static List<Change> present(ChangeFilter filter) {
    List<Change> changes = new ArrayList<>();
    try (Watch<Change> watch =
        rapport.client().changes().watch(filter, WatchOptions.fromNow().withInitialState())) {
      for (WatchBatch<Change> batch = watch.next();
          !batch.initialStateDone();
          batch = watch.next()) {
        changes.addAll(batch.items());
      }
    }
    return changes;
  }

  @Test
  void resumesInsideTheInitialState() {
    rapport.client().events().batch(events(2500));
    WatchRequest request =
        WatchRequest.newBuilder()
            .setFilter(ChangeFilter.newBuilder().addKinds("event"))
            .setInitialState(true)
            .build();
    Iterator<WatchResponse> whole = stub().watch(request);
    String cursor = whole.next().getCursor();
    List<Change> changes = new ArrayList<>();
    List<Change> resumed = new ArrayList<>();
    for (WatchResponse message = whole.next();
        !message.getInitialStateDone();
        message = whole.next()) {
      changes.addAll(message.getChangesList());
    }
    boolean done = false;
    while (!done) {
      Iterator<WatchResponse> next =
          stub().watch(request.toBuilder().setStart(after(cursor)).build());
      next.next();
      WatchResponse message = next.next();
      resumed.addAll(message.getChangesList());
      cursor = message.getCursor();
      done = message.getInitialStateDone();
    }

    assertThat(changes).hasSize(2500);
    assertThat(resumed).isEqualTo(changes);
  }

  @Test
  void refusesTheInitialStateOfKindsThatHaveNone() {
    Told told =
        refused(
            WatchRequest.newBuilder()
                .setInitialState(true)
                .setFilter(ChangeFilter.newBuilder().addKinds("tracking.event_contract")));

    assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.reason()).isEqualTo("INITIAL_STATE_UNSUPPORTED");
    assertThat(told.metadata())
        .containsEntry(
            "supported",
            "caching.cache_lifetime caching.entry delivery.integration delivery.issue"
                + " delivery.issue_changelog delivery.issuetype delivery.issuetype_hierarchy"
                + " delivery.issuetype_mapping delivery.jira_pull_request_link delivery.project"
                + " delivery.project_issuetype delivery.project_status delivery.pull_request"
                + " delivery.pull_request_comment delivery.pull_request_commit"
                + " delivery.pull_request_review delivery.repository delivery.status"
                + " delivery.status_mapping delivery.workflow"
                + " event identity.identity_link identity.sign_in"
                + " identity.system_setting identity.user identity.user_permission"
                + " monitoring.alert_silence monitoring.anomaly_alert"
                + " monitoring.detection_settings monitoring.learning_memory"
                + " search.embedding_model tracking.event_property tracking.quarantined_event"
                + " versioning.data_quality_metrics versioning.model_activation"
                + " versioning.model_performance versioning.model_version"
                + " versioning.promotion_policy versioning.training_dataset"
                + " versioning.training_event");
    assertThat(told.fields()).containsExactly("filter.kinds");
  }

  @Test
  void refusesCursorsThatItDidNotGiveThisTenant() {
    String others;
    try (RapportClient other = rapport.clientOf(rapport.newTenant());
        Watch<Change> watch = other.changes().watch(WatchOptions.fromNow())) {
      others = watch.next().cursor();
    }
    for (String cursor : List.of("x", "!", others, others + "A", "A".repeat(1024))) {
      Told told = refused(WatchRequest.newBuilder().setStart(after(cursor)));
      assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
      assertThat(told.reason()).as(cursor).isEqualTo("CURSOR_INVALID");
      assertThat(told.fields()).containsExactly("start.after");
    }
  }

  @Test
  void refusesACursorOfTheFuture() {
    rapport.client().events().track(event().build());
    rapport.client().events().track(event().build());
    String cursor;
    try (Watch<Change> watch = rapport.client().changes().watch(WatchOptions.fromNow())) {
      cursor = watch.next().cursor();
    }
    rapport
        .sql()
        .execute(
            "update platform.tenant_heads set position = 1 where tenant_id = ?", rapport.tenant());

    Told told = refused(WatchRequest.newBuilder().setStart(after(cursor)));

    assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.reason()).isEqualTo("CURSOR_AHEAD");
  }

  @Test
  void refusesFiltersThatAreTooLarge() {
    ChangeFilter.Builder filter = ChangeFilter.newBuilder();
    for (int i = 0; i <= 100; i++) {
      filter.addUserIds(Given.id());
    }
    Told told = refused(WatchRequest.newBuilder().setFilter(filter));

    assertThat(told.reason()).isEqualTo("INVALID_FIELD");
    assertThat(told.fields()).containsExactly("filter.user_ids");
  }

  @Test
  void endsWhenTheTokenDoes() {
    Iterator<WatchResponse> messages = stub().watch(WatchRequest.getDefaultInstance());
    messages.next();

    rapport.clock().forward(Duration.ofHours(2));

    Told told = Told.by(messages::next);
    assertThat(told.code()).isEqualTo(Code.UNAUTHENTICATED);
    assertThat(told.reason()).isEqualTo("TOKEN_EXPIRED");
  }

  @Test
  void endsWithTheServer() {
    RapportServer server = rapport.serve(Map.of());
    try (RapportClient client = rapport.clientOf(server)) {
      Iterator<WatchResponse> messages =
          ChangeServiceGrpc.newBlockingStub(client.channel())
              .watch(WatchRequest.getDefaultInstance());
      messages.next();
      long begin = System.nanoTime();

      server.close();

      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(5));
      Told told = Told.by(messages::next);
      assertThat(told.code()).isEqualTo(Code.UNAVAILABLE);
      assertThat(told.reason()).isEqualTo("OVERLOADED");
    }
  }

  @Test
  void goesOnByItselfAtTheNextServer() {
    RapportServer first = rapport.serve(Map.of());
    int port = first.port();
    try (RapportClient client = rapport.clientOf(first);
        Watch<Change> watch = client.changes().watch(WatchOptions.fromNow())) {
      EventOutcome before = rapport.client().events().track(event().build());
      assertThat(take(watch, 2)).extracting(Change::getId).contains(before.getEventId());
      first.close();
      EventOutcome meanwhile = rapport.client().events().track(event().build());
      try (RapportServer _ = rapport.serve(Map.of("RAPPORT_PORT", String.valueOf(port)))) {
        EventOutcome after = rapport.client().events().track(event().build());

        assertThat(take(watch, 2))
            .extracting(Change::getId)
            .containsExactly(meanwhile.getEventId(), after.getEventId());
      }
    }
  }

  @Test
  void boundsTheStreamsOfATenant() {
    try (RapportServer server = rapport.serve(Map.of("RAPPORT_STREAMS_PER_TENANT", "2"));
        RapportClient client = rapport.clientOf(server);
        Watch<Change> _ = client.changes().watch(WatchOptions.fromNow())) {
      try (Watch<Change> _ = client.changes().watch(WatchOptions.fromNow())) {
        Told told =
            Told.by(() ->
                ChangeServiceGrpc.newBlockingStub(client.channel())
                    .watch(WatchRequest.getDefaultInstance())
                    .next());
        assertThat(told.code()).isEqualTo(Code.RESOURCE_EXHAUSTED);
        assertThat(told.reason()).isEqualTo("STREAM_LIMIT");
        assertThat(told.metadata()).containsEntry("max_streams", "2");
      }
    }
  }

  @Test
  void needsTheRight() {
    String token = rapport.tokens().of(rapport.tenant(), "tracking.read");
    Told told =
        Told.by(() ->
            ChangeServiceGrpc.newBlockingStub(rapport.channel(token))
                .watch(WatchRequest.getDefaultInstance())
                .next());

    assertThat(told.reason()).isEqualTo("RIGHT_MISSING");
    assertThat(told.metadata()).containsEntry("right", "changes.read");
  }

  @Test
  void tellsEventsWholeByTypeAndUser() {
    rapport.client().events().track(eventOf("ada").build());
    EventWatchFilter purchases =
        EventWatchFilter.newBuilder().addUserIds(user("ada")).addEventTypes("purchase").build();
    try (Watch<Event> watch =
        rapport.client().events().watch(purchases, WatchOptions.fromNow().withDataAsJson())) {
      rapport.client().events().track(eventOf("ada").build());
      rapport.client().events().track(eventOf("bob").setEventType("purchase").build());
      Event sent =
          Given.eventWith("{\"total\":19.9}").setEventType("purchase").setText("three").build();
      rapport.client().events().track(sent);

      Event told = next(watch, it -> true);
      Event read =
          rapport
              .client()
              .events()
              .get(GetEventRequest.newBuilder().setId(sent.getId()).setDataAsJson(true).build())
              .orElseThrow();
      assertThat(told).isEqualTo(read.toBuilder().clearDigest().build());
    }
  }

  @Test
  void splitsMessagesOfLargeEvents() {
    String large = "{\"note\":[" + "\"%s\",".formatted("x".repeat(900)).repeat(60) + "1]}";
    List<Event> sent = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      sent.add(Given.eventWith(large).build());
    }
    try (Watch<Event> watch =
        rapport
            .client()
            .events()
            .watch(EventWatchFilter.getDefaultInstance(), WatchOptions.fromNow())) {
      rapport.client().events().batchAllOrNothing(sent);
      List<WatchBatch<Event>> batches = new ArrayList<>();
      Set<String> ids = new HashSet<>();
      while (ids.size() < sent.size()) {
        batches.add(watch.next());
        batches.getLast().items().forEach(event -> assertThat(ids.add(event.getId())).isTrue());
      }
      assertThat(batches).hasSizeGreaterThan(3);
      try (Watch<Event> resumed =
          rapport
              .client()
              .events()
              .watch(
                  EventWatchFilter.getDefaultInstance(),
                  WatchOptions.after(batches.get(1).cursor()))) {
        resumed.next();
        assertThat(resumed.next().items()).isEqualTo(batches.get(2).items());
      }
    }
  }

  private static Watch<Change> watchAll() {
    return rapport
        .client()
        .changes()
        .watch(ChangeFilter.getDefaultInstance(), WatchOptions.fromNow());
  }

  private static Event next(Watch<Event> watch, Predicate<Event> wanted) {
    while (true) {
      for (Event event : watch.next().items()) {
        if (wanted.test(event)) {
          return event;
        }
      }
    }
  }

  private static List<Change> take(Watch<Change> watch, int count) {
    List<Change> taken = new ArrayList<>();
    while (taken.size() < count) {
      taken.addAll(watch.next().items());
    }
    return taken;
  }

  private static Set<String> ids(List<Change> changes) {
    Set<String> ids = new HashSet<>();
    changes.forEach(change -> ids.add(change.getId()));
    return ids;
  }

  private static String user(String subject) {
    return rapport.client().users().get(identity(subject)).map(User::getId).orElseThrow();
  }

  private static WatchStart after(String cursor) {
    return WatchStart.newBuilder().setAfter(cursor).build();
  }

  private static WatchStart oldestKept() {
    return WatchStart.newBuilder().setFromOldestKept(true).build();
  }

  private static Told refused(WatchRequest.Builder request) {
    return Told.by(() -> stub().watch(request.build()).next());
  }

  private static ChangeServiceGrpc.ChangeServiceBlockingStub stub() {
    return ChangeServiceGrpc.newBlockingStub(rapport.channel())
        .withDeadlineAfter(20, TimeUnit.SECONDS);
  }
}
