package io.rapport.tracking.property;

import static io.rapport.server.Given.eventWith;
import static io.rapport.server.Given.eventsWith;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.Code;
import io.rapport.client.RapportClient;
import io.rapport.server.Locks;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import io.rapport.tracking.v1.CountEventsRequest;
import io.rapport.tracking.v1.DeclarePropertyRequest;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventCount;
import io.rapport.tracking.v1.EventGrouping;
import io.rapport.tracking.v1.EventProperty;
import io.rapport.tracking.v1.EventProperty.State;
import io.rapport.tracking.v1.EventPropertyServiceGrpc;
import io.rapport.tracking.v1.GetPropertyRequest;
import io.rapport.tracking.v1.ListPropertiesRequest;
import io.rapport.tracking.v1.ListPropertiesResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeclarePropertyTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @Test
  void makesOlderAndNewerEventsFindable() {
    rapport.client().events().batch(repositories("a", 300));
    EventProperty property = declare("repository", EventProperty.Type.STRING);
    rapport.client().events().batch(repositories("a", 2));
    rapport.client().events().batch(repositories("a", 250));

    assertThat(property.getState()).isEqualTo(State.READY);
    assertThat(counts("repository")).containsExactly(552L);
  }

  @Test
  void missesNoEventThatIsRecordedMeanwhile() throws Exception {
    AtomicBoolean declared = new AtomicBoolean();
    CountDownLatch under = new CountDownLatch(4);
    Callable<Integer> writer =
        () -> {
          int recorded = 0;
          while (!declared.get() || recorded == 0) {
            rapport.client().events().batch(repositories("a", recorded % 400 < 200 ? 50 : 300));
            recorded += recorded % 400 < 200 ? 50 : 300;
            under.countDown();
          }
          return recorded;
        };
    long recorded = 0;

    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Integer>> writers =
          List.of(
              threads.submit(writer),
              threads.submit(writer),
              threads.submit(writer),
              threads.submit(writer));
      under.await();
      EventProperty property = declare("repository", EventProperty.Type.STRING);
      assertThat(property.getState()).isEqualTo(State.READY);
      declared.set(true);
      for (Future<Integer> done : writers) {
        recorded += done.get();
      }
    }

    assertThat(counts("repository")).containsExactly(recorded);
  }

  /** The writer has looked for properties, found none, and is held up before its commit. */
  @Test
  void waitsForAWriterThatBeganBefore() throws Exception {
    rapport.client().events().track(eventWith("{}").build());
    List<Event> events = repositories("a", 10);

    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> calls = new ArrayList<>();
      rapport
          .sql()
          .transaction(tx -> {
            Locks locks = new Locks(tx.dsl());
            tx.dsl()
                .execute(
                    "INSERT INTO tracking.event_ids VALUES (?, ?::uuid, ?, now())",
                    rapport.tenant(),
                    events.get(5).getId(),
                    new byte[32]);
            calls.add(threads.submit(() -> rapport.client().events().batch(events)));
            locks.awaitWaiting(1);
            Future<?> declare =
                threads.submit(() -> declare("repository", EventProperty.Type.STRING));
            calls.add(declare);
            locks.awaitWaiting(2, declare);
            tx.dsl()
                .execute(
                    "DELETE FROM tracking.event_ids WHERE tenant_id = ? AND digest = ?",
                    rapport.tenant(),
                    new byte[32]);
          });
      for (Future<?> call : calls) {
        call.get();
      }
    }

    assertThat(counts("repository")).containsExactly(10L, 1L);
  }

  @Test
  void changesNothingWhenDeclaredAgain() {
    EventProperty first = declare("a.b", EventProperty.Type.NUMBER);

    assertThat(declare("a.b", EventProperty.Type.NUMBER)).isEqualTo(first);
  }

  @Test
  void refusesAnotherType() {
    declare("n", EventProperty.Type.NUMBER);

    Told told = Told.by(() -> declare("n", EventProperty.Type.STRING));

    assertThat(told.code()).isEqualTo(Code.FAILED_PRECONDITION);
    assertThat(told.reason()).isEqualTo("PROPERTY_EXISTS");
    assertThat(told.metadata()).containsEntry("type", "NUMBER");
  }

  @Test
  void makesOnePropertyWhenManyDeclareIt() throws Exception {
    List<Callable<EventProperty>> callers = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      callers.add(() -> declare("same", EventProperty.Type.STRING));
    }

    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<EventProperty> done : threads.invokeAll(callers)) {
        assertThat(done.get().getState()).isEqualTo(State.READY);
      }
    }

    assertThat(rapport.client().properties().list()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "a.b.c.d.e.f.g.h.i",
        "password",
        "user.apiKey",
        "credit_card.number",
        "a\0b"
      })
  void refusesANameThatNoEventHas(String name) {
    Told told = Told.by(() -> declare(name, EventProperty.Type.STRING));

    assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.fields()).containsExactly("name");
  }

  @Test
  void refusesALongNameAndAnUnknownType() {
    assertThat(Told.by(() -> declare("a".repeat(201), EventProperty.Type.STRING)).fields())
        .containsExactly("name");
    assertThat(Told.by(() -> declare("a", EventProperty.Type.TYPE_UNSPECIFIED)).fields())
        .containsExactly("type");
    var unknown = DeclarePropertyRequest.newBuilder().setName("a").setTypeValue(99).build();
    assertThat(Told.by(() -> stub().declareProperty(unknown)).fields()).containsExactly("type");
  }

  @Test
  void declaresNothingIfOnlyAskedToCheck() {
    var request =
        DeclarePropertyRequest.newBuilder()
            .setName("a")
            .setType(EventProperty.Type.STRING)
            .setValidateOnly(true)
            .build();

    assertThat(stub().declareProperty(request).getName()).isEqualTo("a");
    assertThat(rapport.client().properties().get("a")).isEmpty();
  }

  @Test
  void takesFiftyAndPagesThemByName() {
    for (int i = 49; i >= 0; i--) {
      declare("p%02d".formatted(i), EventProperty.Type.STRING);
    }

    Told told = Told.by(() -> declare("more", EventProperty.Type.STRING));

    assertThat(told.code()).isEqualTo(Code.FAILED_PRECONDITION);
    assertThat(told.reason()).isEqualTo("PROPERTY_LIMIT");
    assertThat(declare("p00", EventProperty.Type.STRING).getName()).isEqualTo("p00");
    List<String> names = new ArrayList<>();
    ListPropertiesRequest.Builder request = ListPropertiesRequest.newBuilder().setPageSize(7);
    ListPropertiesResponse page;
    do {
      page = stub().listProperties(request.build());
      page.getPropertiesList().forEach(it -> names.add(it.getName()));
      request.setPageToken(page.getNextPageToken());
    } while (!page.getNextPageToken().isEmpty());
    assertThat(names).hasSize(50).doesNotHaveDuplicates().isSorted();
  }

  @Test
  void refusesBadPages() {
    var negative = ListPropertiesRequest.newBuilder().setPageSize(-1).build();
    var forged = ListPropertiesRequest.newBuilder().setPageToken("AAAA").build();

    assertThat(Told.by(() -> stub().listProperties(negative)).fields())
        .containsExactly("page_size");
    assertThat(Told.by(() -> stub().listProperties(forged)).reason())
        .isEqualTo("PAGE_TOKEN_INVALID");
  }

  @Test
  void isATenantsOwn() {
    declare("mine", EventProperty.Type.STRING);

    try (RapportClient other = rapport.clientOf(rapport.newTenant())) {
      assertThat(other.properties().get("mine")).isEmpty();
      assertThat(other.properties().list()).isEmpty();
      assertThat(other.properties().declare("mine", EventProperty.Type.NUMBER).getType())
          .isEqualTo(EventProperty.Type.NUMBER);
    }
    assertThat(rapport.client().properties().get("mine").orElseThrow().getType())
        .isEqualTo(EventProperty.Type.STRING);
  }

  @Test
  void answersNotFoundForWhatIsNotDeclared() {
    var request = GetPropertyRequest.newBuilder().setName("x").build();

    Told told = Told.by(() -> stub().getProperty(request));

    assertThat(told.code()).isEqualTo(Code.NOT_FOUND);
    assertThat(told.reason()).isEqualTo("RESOURCE_NOT_FOUND");
  }

  private static EventPropertyServiceGrpc.EventPropertyServiceBlockingStub stub() {
    return EventPropertyServiceGrpc.newBlockingStub(rapport.channel());
  }

  private static EventProperty declare(String name, EventProperty.Type type) {
    return stub()
        .declareProperty(DeclarePropertyRequest.newBuilder().setName(name).setType(type).build());
  }

  private static List<Event> repositories(String value, int count) {
    return eventsWith("{\"repository\":\"" + value + "\"}", count);
  }

  private static List<Long> counts(String property) {
    CountEventsRequest request =
        CountEventsRequest.newBuilder()
            .addGroupBy(EventGrouping.newBuilder().setProperty(property))
            .build();
    return rapport.client().events().count(request).getGroupsList().stream()
        .map(EventCount::getCount)
        .toList();
  }
}
