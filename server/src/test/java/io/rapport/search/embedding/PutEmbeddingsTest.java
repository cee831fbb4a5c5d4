package io.rapport.search.embedding;

import static io.rapport.search.embedding.GivenTexts.KIND;
import static io.rapport.search.embedding.GivenTexts.MODEL;
import static io.rapport.search.embedding.GivenTexts.embedding;
import static io.rapport.search.embedding.GivenTexts.vector;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.protobuf.ByteString;
import com.google.rpc.Code;
import io.grpc.stub.StreamObserver;
import io.rapport.identity.v1.User;
import io.rapport.search.v1.Embedding;
import io.rapport.search.v1.EmbeddingResult;
import io.rapport.search.v1.EmbeddingResult.Result;
import io.rapport.search.v1.EmbeddingServiceGrpc;
import io.rapport.search.v1.GetEmbeddingsRequest;
import io.rapport.search.v1.IngestEmbeddingsRequest;
import io.rapport.search.v1.IngestEmbeddingsResponse;
import io.rapport.search.v1.ListStaleEmbeddingsRequest;
import io.rapport.search.v1.NewEmbedding;
import io.rapport.search.v1.PutEmbeddingsRequest;
import io.rapport.search.v1.StaleEmbedding;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.IntStream;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Writing vectors of texts that may change at any time. */
@Timeout(60)
class PutEmbeddingsTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private final GivenTexts given = new GivenTexts(rapport);

  private EmbeddingServiceGrpc.EmbeddingServiceBlockingStub stub() {
    return EmbeddingServiceGrpc.newBlockingStub(rapport.channel());
  }

  private List<StaleEmbedding> stale() {
    return given
        .embeddings()
        .stale(ListStaleEmbeddingsRequest.newBuilder().setKind(KIND).setModel(MODEL).build())
        .toList();
  }

  private Embedding only(User user) {
    return Objects.requireNonNull(
        given.embeddings().get(KIND, List.of(user.getId())).get(user.getId()));
  }

  @Test
  void keepsAVectorAtUnitLength() {
    given.model();
    User ada = given.user("Ada");
    assertThat(stale()).extracting(StaleEmbedding::getId).containsExactly(ada.getId());

    assertThat(given.put(ada, new float[] {3, 0, 0, -4, 0, 0, 0, 0})).isEqualTo(Result.WRITTEN);

    Embedding kept = only(ada);
    assertThat(kept.getVectorList()).hasSize(8);
    assertThat(kept.getVector(0)).isCloseTo(0.6f, within(0.001f));
    assertThat(kept.getVector(3)).isCloseTo(-0.8f, within(0.001f));
    assertThat(kept.getContentHash()).isEqualTo(GivenTexts.hash(ada));
    assertThat(kept.getModel()).isEqualTo(MODEL);
    assertThat(kept.getStale()).isFalse();
    assertThat(stale()).isEmpty();
  }

  @Test
  void padsAShorterVectorWithZeros() {
    given.model();
    User ada = given.user("Ada");
    given.put(ada, vector(1));

    Integer zeros =
        rapport
            .sql()
            .fetchSingle(
                "SELECT count(*) FROM search.embeddings e,"
                    + " unnest(e.embedding::vector::real[]) WITH ORDINALITY AS n (value, place)"
                    + " WHERE tenant_id = ? AND place > 8 AND value = 0",
                rapport.tenant())
            .get(0, Integer.class);
    assertThat(zeros).isEqualTo(1528);
  }

  @Test
  void takesPackedAndPlainNumbersAlike() {
    given.model();
    User ada = given.user("Ada");
    NewEmbedding.Builder plain = embedding(ada, vector(1)).toBuilder().clearPackedVector();
    for (float number : vector(1)) {
      plain.addVector(number);
    }

    assertThat(given.put(ada, vector(1))).isEqualTo(Result.WRITTEN);
    assertThat(given.embeddings().put(KIND, MODEL, List.of(plain.build())))
        .extracting(EmbeddingResult::getResult)
        .containsExactly(Result.UNCHANGED);
  }

  @Test
  void writesNothingTwice() {
    given.model();
    User ada = given.user("Ada");
    given.put(ada, vector(1));
    Embedding first = only(ada);

    assertThat(given.put(ada, vector(1))).isEqualTo(Result.UNCHANGED);
    assertThat(only(ada)).isEqualTo(first);
    assertThat(given.put(ada, vector(2))).isEqualTo(Result.WRITTEN);
    assertThat(only(ada)).isNotEqualTo(first);
  }

  @Test
  void refusesTheVectorOfAnOlderText() {
    given.model();
    User ada = given.user("Ada");
    given.put(ada, vector(1));
    User augusta = given.renamed(ada, "Augusta");

    assertThat(only(ada).getStale()).isTrue();
    assertThat(given.put(ada, vector(2))).isEqualTo(Result.STALE);
    assertThat(stale()).hasSize(1);
    assertThat(given.put(augusta, vector(3))).isEqualTo(Result.WRITTEN);
    assertThat(only(ada).getStale()).isFalse();
    assertThat(stale()).isEmpty();
  }

  @Test
  void tellsWhatIsNotThere() {
    given.model();
    User nobody = User.newBuilder().setId(Given.id()).setFirstName("x").build();
    User deleted = given.user("Ada");
    given.put(deleted, vector(1));
    rapport.client().users().delete(deleted.getId());

    assertThat(given.put(nobody, vector(1))).isEqualTo(Result.NOT_FOUND);
    assertThat(given.put(deleted, vector(1))).isEqualTo(Result.NOT_FOUND);
    assertThat(given.embeddings().get(KIND, List.of(deleted.getId()))).isEmpty();
  }

  @Test
  void forgetsWhatIsDeletedAndMarksWhatComesBack() {
    given.model();
    User ada = given.user("Ada");
    User bob = given.user("Bob");
    given.put(ada, vector(1));
    given.put(bob, vector(2));

    rapport.client().users().delete(ada.getId());
    rapport.sql().execute("DELETE FROM identity.users WHERE id = ?::uuid", bob.getId());

    assertThat(rows("embeddings")).isZero();
    assertThat(rows("documents")).isZero();
    assertThat(given.coverage().getDocuments()).isZero();

    User deleted = rapport.client().users().get(ada.getId()).orElseThrow();
    rapport.client().users().update(deleted.toBuilder().setActive(true).build(), "active");
    assertThat(stale()).extracting(StaleEmbedding::getId).containsExactly(ada.getId());
  }

  private int rows(String table) {
    return rapport
        .sql()
        .fetchCount(
            DSL.table("search." + table),
            DSL.condition(
                "tenant_id = {0} AND kind = {1}", DSL.val(rapport.tenant()), DSL.val(KIND)));
  }

  @Test
  void refusesBadVectorsByTheirPaths() {
    given.model();
    User ada = given.user("Ada");
    float[] nan = vector(1);
    nan[2] = Float.NaN;
    float[] infinite = vector(1);
    infinite[7] = Float.NEGATIVE_INFINITY;
    NewEmbedding good = embedding(given.user("Bob"), vector(1));
    NewEmbedding both = embedding(given.user("Cyd"), vector(1)).toBuilder().addVector(1).build();
    List<NewEmbedding> bad =
        List.of(
            good,
            embedding(ada, nan),
            embedding(given.user("Dan"), infinite),
            embedding(given.user("Eve"), new float[8]),
            embedding(given.user("Fay"), new float[7]),
            both,
            good.toBuilder()
                .setId(Given.id())
                .setPackedVector(ByteString.copyFrom(new byte[33]))
                .build(),
            good);

    Told told =
        Told.by(() ->
            stub()
                .putEmbeddings(
                    PutEmbeddingsRequest.newBuilder()
                        .setKind(KIND)
                        .setModel(MODEL)
                        .addAllEmbeddings(bad)
                        .build()));

    assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.fields())
        .containsExactly(
            "embeddings[1].packed_vector[2]",
            "embeddings[2].packed_vector[7]",
            "embeddings[3].packed_vector",
            "embeddings[4].packed_vector",
            "embeddings[5].vector",
            "embeddings[6].packed_vector",
            "embeddings[7].id");
    assertThat(given.coverage().getEmbedded()).isZero();
  }

  @Test
  void refusesWhatItDoesNotKnow() {
    User ada = given.user("Ada");

    Told noModel = Told.by(() -> stub().putEmbeddings(request(ada, KIND, MODEL)));
    Told noKind = Told.by(() -> stub().putEmbeddings(request(ada, "identity.nothing", MODEL)));

    assertThat(noModel.code()).isEqualTo(Code.NOT_FOUND);
    assertThat(noModel.metadata()).containsEntry("kind", "embedding_model");
    assertThat(noKind.fields()).containsExactly("kind");
  }

  private static PutEmbeddingsRequest request(User user, String kind, String model) {
    return PutEmbeddingsRequest.newBuilder()
        .setKind(kind)
        .setModel(model)
        .addEmbeddings(embedding(user, vector(1)))
        .build();
  }

  @Test
  void canBeTriedOutAndRepeated() {
    given.model();
    User ada = given.user("Ada");
    PutEmbeddingsRequest request = request(ada, KIND, MODEL);

    assertThat(
            stub()
                .putEmbeddings(request.toBuilder().setValidateOnly(true).build())
                .getResults(0)
                .getResult())
        .isEqualTo(Result.WRITTEN);
    assertThat(given.coverage().getEmbedded()).isZero();

    PutEmbeddingsRequest named = request.toBuilder().setRequestId(Given.id()).build();
    assertThat(stub().putEmbeddings(named)).isEqualTo(stub().putEmbeddings(named));
    assertThat(given.put(ada, vector(1))).isEqualTo(Result.UNCHANGED);
  }

  @Test
  void streamsWithAResultForEach() throws Exception {
    given.model();
    List<User> users = given.users(3);
    BlockingQueue<Object> answers = new LinkedBlockingQueue<>();
    StreamObserver<IngestEmbeddingsRequest> requests =
        EmbeddingServiceGrpc.newStub(rapport.channel())
            .ingestEmbeddings(
                new StreamObserver<>() {
                  @Override
                  public void onNext(IngestEmbeddingsResponse answer) {
                    answers.add(answer);
                  }

                  @Override
                  public void onError(Throwable failure) {
                    answers.add(failure);
                  }

                  @Override
                  public void onCompleted() {
                    answers.add("end");
                  }
                });
    IngestEmbeddingsRequest.Builder message =
        IngestEmbeddingsRequest.newBuilder().setKind(KIND).setModel(MODEL);
    requests.onNext(
        message
            .clone()
            .addEmbeddings(embedding(users.get(0), vector(1)))
            .addEmbeddings(embedding(users.get(1), new float[8]))
            .addEmbeddings(NewEmbedding.newBuilder().setId("x"))
            .build());
    requests.onNext(message.addEmbeddings(embedding(users.get(2), vector(1))).build());
    requests.onCompleted();

    IngestEmbeddingsResponse first = (IngestEmbeddingsResponse) answers.take();
    IngestEmbeddingsResponse second = (IngestEmbeddingsResponse) answers.take();
    assertThat(first.getResultsList())
        .extracting(EmbeddingResult::getResult)
        .containsExactly(Result.WRITTEN, Result.REFUSED, Result.REFUSED);
    assertThat(new Told(first.getResults(1).getError()).fields()).containsExactly("packed_vector");
    assertThat(new Told(first.getResults(2).getError()).fields()).containsExactly("id");
    assertThat(second.getResults(0).getResult()).isEqualTo(Result.WRITTEN);
    assertThat(answers.take()).isEqualTo("end");
  }

  /** Whoever wins, the vector is of the text that is there, or the text is listed as stale. */
  @Test
  void losesNoMarkToAWriteAtTheSameTime() throws Exception {
    given.model();
    List<User> users = new ArrayList<>(given.users(12));
    CyclicBarrier both = new CyclicBarrier(2);
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      for (int round = 0; round < 5; round++) {
        int now = round;
        List<NewEmbedding> old = users.stream().map(user -> embedding(user, vector(now))).toList();
        Future<?> puts =
            threads.submit(() -> {
              both.await();
              return given.embeddings().put(KIND, MODEL, old);
            });
        Future<List<User>> names =
            threads.submit(() -> {
              both.await();
              return users.stream()
                  .map(user -> given.renamed(user, user.getFirstName() + now))
                  .toList();
            });
        puts.get();
        List<User> renamed = names.get();
        users.clear();
        users.addAll(renamed);
        List<String> stale = stale().stream().map(StaleEmbedding::getId).toList();
        assertThat(stale)
            .containsExactlyInAnyOrderElementsOf(users.stream().map(User::getId).toList());
      }
      List<NewEmbedding> current = users.stream().map(user -> embedding(user, vector(9))).toList();
      assertThat(given.embeddings().put(KIND, MODEL, current))
          .extracting(EmbeddingResult::getResult)
          .containsOnly(Result.WRITTEN);
      assertThat(given.coverage().getShare()).isEqualTo(1);
    }
  }

  @Test
  void putsManyInParts() {
    given.model();
    List<User> users = given.users(5);
    var summary =
        given
            .embeddings()
            .putAll(
                KIND,
                MODEL,
                IntStream.range(0, 5).mapToObj(i -> embedding(users.get(i), vector(i))));

    assertThat(summary.written()).isEqualTo(5);
    assertThat(summary.stale() + summary.notFound() + summary.unchanged()).isZero();
  }

  @Test
  void keepsTenantsApart() {
    given.model();
    User ada = given.user("Ada");
    given.put(ada, vector(1));

    try (var other = rapport.clientOf(rapport.newTenant())) {
      other.embeddings().start(KIND, MODEL, GivenTexts.DIMENSIONS);
      assertThat(other.embeddings().get(KIND, List.of(ada.getId()))).isEmpty();
      assertThat(other.embeddings().put(KIND, MODEL, List.of(embedding(ada, vector(2)))))
          .extracting(EmbeddingResult::getResult)
          .containsExactly(Result.NOT_FOUND);
      assertThat(
              other
                  .embeddings()
                  .get(
                      GetEmbeddingsRequest.newBuilder()
                          .setKind(KIND)
                          .setModel(MODEL)
                          .addIds(ada.getId())
                          .build()))
          .isEmpty();
    }
    assertThat(only(ada).getStale()).isFalse();
  }
}
