package io.rapport.search.embedding;

import static io.rapport.search.embedding.GivenTexts.DIMENSIONS;
import static io.rapport.search.embedding.GivenTexts.KIND;
import static io.rapport.search.embedding.GivenTexts.MODEL;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.Code;
import io.rapport.identity.v1.User;
import io.rapport.search.EmbeddingEndpoint;
import io.rapport.search.v1.EmbeddingModel;
import io.rapport.search.v1.EmbeddingModelServiceGrpc;
import io.rapport.search.v1.RetireEmbeddingModelRequest;
import io.rapport.search.v1.StartEmbeddingModelRequest;
import io.rapport.search.v1.SwitchEmbeddingModelRequest;
import io.rapport.server.Rapport;
import io.rapport.server.RapportServer;
import io.rapport.server.Told;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Models that are started, switched and retired while others write. */
@Timeout(60)
class ModelsBesideWritesTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private final GivenTexts given = new GivenTexts(rapport);

  private static EmbeddingModelServiceGrpc.EmbeddingModelServiceBlockingStub stub() {
    return EmbeddingModelServiceGrpc.newBlockingStub(rapport.channel());
  }

  private static StartEmbeddingModelRequest start(String model, int dimensions) {
    return StartEmbeddingModelRequest.newBuilder()
        .setKind(KIND)
        .setModel(model)
        .setDimensions(dimensions)
        .build();
  }

  /** A put holds its model; a switch that can't be has no reason to wait for it. */
  @Test
  void aSwitchCountsBeforeItLocks() {
    given.users(2);
    given.model();
    given.embeddings().start(KIND, "next", DIMENSIONS);

    rapport
        .sql()
        .transaction(put -> {
          put.dsl()
              .execute(
                  "SELECT FROM search.embedding_models WHERE tenant_id = {0} FOR SHARE",
                  DSL.val(rapport.tenant()));
          Told told =
              Told.by(() ->
                  stub()
                      .switchEmbeddingModel(
                          SwitchEmbeddingModelRequest.newBuilder()
                              .setKind(KIND)
                              .setModel("next")
                              .build()));
          assertThat(told.code()).isEqualTo(Code.FAILED_PRECONDITION);
          assertThat(told.reason()).isEqualTo("EMBEDDING_MODEL_STATE");
        });
  }

  @Test
  void aModelIsStartedWhileATextIsRemoved() throws Exception {
    User gone = given.user("gone");
    given.user("stays");
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<EmbeddingModel> started =
          rapport
              .sql()
              .transactionResult(removing -> {
                removing
                    .dsl()
                    .execute(
                        "DELETE FROM search.documents WHERE tenant_id = {0} AND id = {1}",
                        DSL.val(rapport.tenant()), DSL.val(UUID.fromString(gone.getId())));
                Future<EmbeddingModel> starting =
                    callers.submit(() -> stub().startEmbeddingModel(start(MODEL, DIMENSIONS)));
                GivenTexts.await(ModelsBesideWritesTest::somebodyWaits);
                return starting;
              });

      assertThat(started.get().getModel()).isEqualTo(MODEL);
    }
    GivenTexts.await(() -> given.claim(10).getTextsCount() == 1);
  }

  /** The start waits for the one who removes. */
  private static boolean somebodyWaits() {
    return rapport
        .sql()
        .fetchExists(
            DSL.table("pg_locks"), DSL.condition("locktype = 'transactionid' AND NOT granted"));
  }

  @Test
  void whatSomebodyHeldOfARetiredModelGoesLater() {
    given.user("u");
    given.model();
    given.embeddings().start(KIND, "next", DIMENSIONS);

    rapport
        .sql()
        .transaction(claiming -> {
          claiming
              .dsl()
              .execute(
                  "SELECT FROM search.stale_embeddings WHERE tenant_id = {0} AND model = 'next'"
                      + " FOR UPDATE",
                  DSL.val(rapport.tenant()));
          RetireEmbeddingModelRequest retire =
              RetireEmbeddingModelRequest.newBuilder().setKind(KIND).setModel("next").build();
          EmbeddingModel _ = stub().retireEmbeddingModel(retire);
          rapport
              .sql()
              .execute(
                  "UPDATE search.embedding_models SET switched_at = now() - interval '2 minutes'"
                      + " WHERE tenant_id = {0} AND model = 'next'",
                  DSL.val(rapport.tenant()));
          long begin = System.nanoTime(); // two rounds of the keeper see that it is held
          GivenTexts.await(() -> System.nanoTime() - begin > 3_000_000_000L);
        });

    GivenTexts.await(() ->
        !rapport
            .sql()
            .fetchExists(
                DSL.table("search.stale_embeddings"),
                DSL.condition("tenant_id = {0} AND model = 'next'", DSL.val(rapport.tenant()))));
  }

  @Test
  void aServedModelHasTheDimensionsThatItHas() throws Exception {
    try (EmbeddingEndpoint endpoint = new EmbeddingEndpoint();
        RapportServer server =
            rapport.serve(
                Map.of(
                    "RAPPORT_EMBEDDERS",
                    "openai",
                    "RAPPORT_EMBEDDING_URL",
                    endpoint.url(),
                    "RAPPORT_EMBEDDING_MODEL",
                    endpoint.model(),
                    "RAPPORT_EMBEDDING_DIMENSIONS",
                    "8"));
        var there = rapport.clientOf(server)) {
      Told told = Told.by(() -> there.embeddings().start(KIND, endpoint.model(), 6));

      assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
      assertThat(told.fields()).containsExactly("dimensions");
      assertThat(there.embeddings().start(KIND, endpoint.model(), 8).getDimensions()).isEqualTo(8);
    }
  }
}
