package io.rapport.search.embedding;

import static io.rapport.search.embedding.GivenTexts.DIMENSIONS;
import static io.rapport.search.embedding.GivenTexts.KIND;
import static io.rapport.search.embedding.GivenTexts.MODEL;
import static io.rapport.search.embedding.GivenTexts.vector;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.Code;
import io.rapport.client.Watch;
import io.rapport.client.WatchOptions;
import io.rapport.identity.v1.User;
import io.rapport.platform.Contract;
import io.rapport.platform.v1.Change;
import io.rapport.platform.v1.ChangeFilter;
import io.rapport.platform.v1.Resource;
import io.rapport.platform.v1.ResourceProto;
import io.rapport.search.v1.ClaimStaleEmbeddingsRequest;
import io.rapport.search.v1.EmbeddedKind;
import io.rapport.search.v1.EmbeddingModel;
import io.rapport.search.v1.EmbeddingModel.State;
import io.rapport.search.v1.EmbeddingModelServiceGrpc;
import io.rapport.search.v1.EmbeddingServiceGrpc;
import io.rapport.search.v1.GetEmbeddingsRequest;
import io.rapport.search.v1.ListEmbeddingModelsRequest;
import io.rapport.search.v1.RetireEmbeddingModelRequest;
import io.rapport.search.v1.StartEmbeddingModelRequest;
import io.rapport.search.v1.SwitchEmbeddingModelRequest;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Tokens;
import io.rapport.server.Told;
import java.sql.DriverManager;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Models, and how one takes another's place. */
@Timeout(60)
class EmbeddingModelTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final String NEXT = "next-model";

  private final GivenTexts given = new GivenTexts(rapport);

  private EmbeddingModelServiceGrpc.EmbeddingModelServiceBlockingStub stub() {
    return EmbeddingModelServiceGrpc.newBlockingStub(rapport.channel());
  }

  private static SwitchEmbeddingModelRequest.Builder toNext() {
    return SwitchEmbeddingModelRequest.newBuilder().setKind(KIND).setModel(NEXT);
  }

  private Map<String, State> states() {
    return given
        .embeddings()
        .models(ListEmbeddingModelsRequest.newBuilder().setKind(KIND).setShowRetired(true).build())
        .collect(Collectors.toMap(EmbeddingModel::getModel, EmbeddingModel::getState));
  }

  @Test
  void theFirstIsActiveAtOnceAndFindsWhatIsThere() {
    given.users(3);

    EmbeddingModel first = given.embeddings().start(KIND, MODEL, DIMENSIONS);

    assertThat(first.getState()).isEqualTo(State.ACTIVE);
    assertThat(given.coverage().getDocuments()).isEqualTo(3);
    assertThat(given.coverage().getStale()).isEqualTo(3);
    assertThat(given.coverage().getShare()).isZero();
    assertThat(given.coverage().hasOldestStaleAt()).isTrue();
    assertThat(given.embeddings().start(KIND, MODEL, DIMENSIONS)).isEqualTo(first);
  }

  @Test
  void aThirdIsRefusedAndOtherDimensionsAre() {
    given.model();
    given.embeddings().start(KIND, NEXT, 4);

    Told third = Told.by(() -> stub().startEmbeddingModel(start("third", 4)));
    Told other = Told.by(() -> stub().startEmbeddingModel(start(NEXT, 5)));

    assertThat(third.reason()).isEqualTo("EMBEDDING_MODEL_STATE");
    assertThat(third.code()).isEqualTo(Code.FAILED_PRECONDITION);
    assertThat(other.reason()).isEqualTo("EMBEDDING_MODEL_STATE");
  }

  private static StartEmbeddingModelRequest start(String model, int dimensions) {
    return StartEmbeddingModelRequest.newBuilder()
        .setKind(KIND)
        .setModel(model)
        .setDimensions(dimensions)
        .build();
  }

  @Test
  void switchesWhenAllTextsHaveAVector() {
    given.model();
    List<User> users = given.users(2);
    users.forEach(user -> given.put(user, vector(1)));
    given.embeddings().start(KIND, NEXT, 4);
    given.put(NEXT, users.get(0), vector(1, 4));

    Told tooFew = Told.by(() -> stub().switchEmbeddingModel(toNext().build()));
    assertThat(tooFew.reason()).isEqualTo("EMBEDDING_MODEL_STATE");
    assertThat(tooFew.metadata()).containsEntry("share", "0.5").containsEntry("state", "COMING");
    assertThat(states()).containsEntry(MODEL, State.ACTIVE);

    given.put(NEXT, users.get(1), vector(2, 4));
    var switched = given.embeddings().switchTo(toNext().build());
    assertThat(switched.getModel().getState()).isEqualTo(State.ACTIVE);
    assertThat(switched.getPrevious().getState()).isEqualTo(State.RETIRED);
    assertThat(states()).isEqualTo(Map.of(MODEL, State.RETIRED, NEXT, State.ACTIVE));
    assertThat(given.embeddings().get(KIND, List.of(users.get(0).getId())).values())
        .allSatisfy(it -> assertThat(it.getVectorCount()).isEqualTo(4));
  }

  @Test
  void canBeOverriddenAndSwitchedBack() {
    given.model();
    User ada = given.user("Ada");
    given.put(ada, vector(1));
    given.embeddings().start(KIND, NEXT, 4);

    var forward =
        given.embeddings().switchTo(toNext().setMinShare(0).setKeepPrevious(true).build());
    assertThat(forward.getPrevious().getState()).isEqualTo(State.COMING);
    EmbeddingModel back = given.embeddings().switchTo(KIND, MODEL);

    assertThat(back.getState()).isEqualTo(State.ACTIVE);
    assertThat(states()).isEqualTo(Map.of(MODEL, State.ACTIVE, NEXT, State.RETIRED));
  }

  /** Readers that ask in one statement see the vectors of exactly one model, of all texts. */
  @Test
  void leavesNoGapAndMixesNothingWhileTextsAreWritten() throws Exception {
    given.model();
    List<User> users = given.users(6);
    users.forEach(user -> given.put(user, vector(1)));
    given.embeddings().start(KIND, NEXT, 4);
    users.forEach(user -> given.put(NEXT, user, vector(1, 4)));
    AtomicBoolean done = new AtomicBoolean();
    Thread reader = new Thread(() -> readUntil(done), "reader");
    List<Throwable> faults = new CopyOnWriteArrayList<>();
    reader.setUncaughtExceptionHandler((_, fault) -> faults.add(fault));
    reader.start();

    for (int i = 0; i < 6; i++) {
      given.renamed(users.get(i % 6), "n" + i);
      String target = i % 2 == 0 ? NEXT : MODEL;
      given
          .embeddings()
          .switchTo(toNext().setModel(target).setMinShare(0).setKeepPrevious(true).build());
    }
    done.set(true);
    reader.join();

    assertThat(faults).isEmpty();
  }

  private void readUntil(AtomicBoolean done) {
    do {
      Record row =
          rapport
              .sql()
              .fetchSingle(
                  """
                  SELECT count(*), count(DISTINCT e.model), (SELECT count(*)
                      FROM search.embedding_models a
                     WHERE a.tenant_id = {0} AND a.kind = {1} AND a.state = 'ACTIVE')
                    FROM search.embeddings e JOIN search.embedding_models m
                      ON m.tenant_id = e.tenant_id AND m.kind = e.kind AND m.model = e.model
                   WHERE e.tenant_id = {0} AND e.kind = {1} AND m.state = 'ACTIVE'
                  """,
                  DSL.val(rapport.tenant()), DSL.val(KIND));
      assertThat(List.of(row.get(0), row.get(1), row.get(2))).isEqualTo(List.of(6L, 1L, 1L));
    } while (!done.get());
  }

  @Test
  void removesWhatARetiredModelLeaves() {
    given.model();
    List<User> users = given.users(3);
    users.forEach(user -> given.put(user, vector(1)));

    Told active =
        Told.by(() ->
            stub()
                .retireEmbeddingModel(
                    RetireEmbeddingModelRequest.newBuilder()
                        .setKind(KIND)
                        .setModel(MODEL)
                        .build()));
    given
        .embeddings()
        .retire(
            RetireEmbeddingModelRequest.newBuilder()
                .setKind(KIND)
                .setModel(MODEL)
                .setActiveToo(true)
                .build());
    assertThat(active.metadata()).containsEntry("state", "ACTIVE");
    assertThat(vectors()).isEqualTo(3); // searches that have begun still find them
    rapport
        .sql()
        .execute(
            "UPDATE search.embedding_models SET switched_at = now() - interval '2 minutes'"
                + " WHERE tenant_id = ?",
            rapport.tenant());

    GivenTexts.await(() -> vectors() == 0);
    assertThat(given.embeddings().coverage(KIND)).isEmpty();
  }

  private int vectors() {
    return rapport
        .sql()
        .fetchSingle("SELECT count(*) FROM search.embeddings WHERE tenant_id = ?", rapport.tenant())
        .get(0, Integer.class);
  }

  @Test
  void takesUpAgainWhatWasRetired() {
    given.model();
    User ada = given.user("Ada");
    User bob = given.user("Bob");
    given.put(ada, vector(1));
    given.put(bob, vector(2));
    given
        .embeddings()
        .retire(
            RetireEmbeddingModelRequest.newBuilder()
                .setKind(KIND)
                .setModel(MODEL)
                .setActiveToo(true)
                .build());
    given.renamed(bob, "Rob");

    given.model();

    assertThat(given.coverage().getEmbedded()).isEqualTo(1);
    assertThat(given.coverage().getStale()).isEqualTo(1);
  }

  /** A text whose writer didn't see the model is found when its transaction has ended. */
  @Test
  void missesNoTextThatIsBeingWrittenWhenAModelStarts() throws Exception {
    try (var connection =
        DriverManager.getConnection(
            rapport.database().jdbcUrl(),
            rapport.database().user(),
            rapport.database().password())) {
      connection.setAutoCommit(false);
      try (var statement = connection.createStatement()) {
        statement.execute(
            "INSERT INTO identity.users (tenant_id, id, first_name) VALUES ('"
                + rapport.tenant()
                + "', gen_random_uuid(), 'Ada')");
        given.model();
        connection.commit();
      }
    }
    GivenTexts.await(() -> given.claim(1).getTextsCount() == 1);
    assertThat(given.coverage().getStale()).isEqualTo(1);
  }

  @Test
  void tellsOfModelsInTheChangeLog() {
    ChangeFilter filter = ChangeFilter.newBuilder().addKinds("search.embedding_model").build();
    EmbeddingModel model = given.embeddings().start(KIND, MODEL, DIMENSIONS);
    try (Watch<Change> watch =
        rapport.client().changes().watch(filter, WatchOptions.fromOldestKept())) {
      Change change =
          Stream.generate(watch::next)
              .flatMap(batch -> batch.items().stream())
              .findFirst()
              .orElseThrow();

      assertThat(change.getId()).isEqualTo(model.getId());
      assertThat(change.getOp()).isEqualTo(Change.Op.CREATED);
    }
  }

  /** What people read in the contract is what the triggers do. */
  @Test
  void textsAreMadeOfWhatTheContractSays() {
    Map<String, List<String>> attached = new TreeMap<>();
    given
        .embeddings()
        .kinds()
        .forEach(kind -> attached.put(kind.getKind(), List.copyOf(kind.getTextFieldsList())));
    Map<String, List<String>> declared = new TreeMap<>();
    for (var file : Contract.load().ownFiles()) {
      file.getMessageTypes()
          .forEach(type -> {
            Resource resource = type.getOptions().getExtension(ResourceProto.resource);
            if (resource.getEmbeddingTextCount() > 0) {
              declared.put(resource.getKind(), List.copyOf(resource.getEmbeddingTextList()));
            }
          });
    }

    assertThat(declared).containsKey("identity.user");
    assertThat(attached).containsAllEntriesOf(declared);
    attached.keySet().removeAll(declared.keySet());
    assertThat(attached.keySet()).contains("identity.tenant", "monitoring.learning_memory");
  }

  @Test
  void onlyReadersOfAKindAreToldItsTextsAndVectors() {
    given.model();
    var embedder =
        EmbeddingServiceGrpc.newBlockingStub(
            rapport.channel(
                rapport.tokens().of(rapport.tenant(), "embedding.read embedding.write")));
    ClaimStaleEmbeddingsRequest claim =
        ClaimStaleEmbeddingsRequest.newBuilder().setKind(KIND).build();
    GetEmbeddingsRequest get =
        GetEmbeddingsRequest.newBuilder().setKind(KIND).addIds(Given.id()).build();

    for (ThrowingCallable call :
        List.<ThrowingCallable>of(
            () -> embedder.claimStaleEmbeddings(claim), () -> embedder.getEmbeddings(get))) {
      Told told = Told.by(call);
      assertThat(told.reason()).isEqualTo("RIGHT_MISSING");
      assertThat(told.metadata()).containsEntry("right", "identity.read");
    }
  }

  @Test
  void onlyOperatorsEmbedWhatNoTenantOwns() {
    List<EmbeddedKind> global = given.embeddings().kinds().filter(EmbeddedKind::getGlobal).toList();
    var unprivileged =
        EmbeddingModelServiceGrpc.newBlockingStub(
            rapport.channel(
                rapport.tokens().of(rapport.tenant(), "embedding.read embedding.write")));
    for (EmbeddedKind kind : global) {
      Told told =
          Told.by(() ->
              unprivileged.startEmbeddingModel(
                  start(MODEL, 4).toBuilder().setKind(kind.getKind()).build()));
      assertThat(told.reason()).isEqualTo("RIGHT_MISSING");
    }
    assertThat(unprivileged.startEmbeddingModel(start(MODEL, 4)).getState())
        .isEqualTo(State.ACTIVE);
    assertThat(Tokens.ALL_RIGHTS).contains("operator");
  }
}
