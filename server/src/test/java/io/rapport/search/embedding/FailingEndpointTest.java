package io.rapport.search.embedding;

import static io.rapport.search.embedding.GivenTexts.KIND;
import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.client.RapportClient;
import io.rapport.identity.v1.User;
import io.rapport.search.EmbeddingEndpoint;
import io.rapport.search.v1.EmbeddingCoverage;
import io.rapport.search.v1.ListStaleEmbeddingsRequest;
import io.rapport.search.v1.StaleEmbedding;
import io.rapport.server.Rapport;
import io.rapport.server.RapportServer;
import java.util.List;
import java.util.Map;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A text that an endpoint fails at holds up neither its neighbours nor other tenants. */
@Timeout(90)
class FailingEndpointTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static Map<String, String> settings(EmbeddingEndpoint endpoint) {
    return Map.of(
        "RAPPORT_EMBEDDERS", "openai",
        "RAPPORT_EMBEDDING_URL", endpoint.url(),
        "RAPPORT_EMBEDDING_MODEL", endpoint.model(),
        "RAPPORT_EMBEDDING_DIMENSIONS", "8",
        "RAPPORT_EMBED_STALE", "true");
  }

  private static void makeUser(RapportClient client, String name) {
    client.users().create(User.newBuilder().setFirstName(name).build());
  }

  private static EmbeddingCoverage coverage(RapportClient client) {
    return client.embeddings().coverage(KIND).get(0);
  }

  private static StaleEmbedding stale() {
    return rapport
        .client()
        .embeddings()
        .stale(ListStaleEmbeddingsRequest.newBuilder().setKind(KIND).build())
        .findFirst()
        .orElseThrow();
  }

  private static void spoil(EmbeddingEndpoint endpoint, String how) {
    switch (how) {
      case "500" -> endpoint.fail("odd", 500);
      case "null" ->
          endpoint.answer("odd", "{\"data\":[{\"index\":0,\"embedding\":[null,1,1,1,1,1,1,1]}]}");
      case "NaN" ->
          endpoint.answer("odd", "{\"data\":[{\"index\":0,\"embedding\":[NaN,1,1,1,1,1,1,1]}]}");
      default -> throw new AssertionError(how);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"500", "null", "NaN"})
  void aTextThatMakesTheModelFailIsTriedByItself(String how) throws Exception {
    try (EmbeddingEndpoint endpoint = new EmbeddingEndpoint();
        RapportClient other = rapport.clientOf(rapport.newTenant())) {
      spoil(endpoint, how);
      makeUser(rapport.client(), "odd");
      for (int i = 0; i < 5; i++) {
        makeUser(rapport.client(), "u" + i);
        makeUser(other, "v" + i);
      }
      rapport.client().embeddings().start(KIND, endpoint.model(), 8);
      other.embeddings().start(KIND, endpoint.model(), 8);
      try (RapportServer _ = rapport.serve(settings(endpoint))) {
        GivenTexts.await(() ->
            coverage(rapport.client()).getEmbedded() == 5 && coverage(other).getEmbedded() == 5);
        GivenTexts.await(() -> !stale().getFailure().isEmpty());
        assertThat(stale().getFailure()).contains("endpoint");
        GivenTexts.await(FailingEndpointTest::isFailedInTheEnd);
      }
    }
  }

  /** Has it tried again at once, which otherwise takes minutes. */
  private static boolean isFailedInTheEnd() {
    rapport
        .sql()
        .execute(
            """
            UPDATE search.stale_embeddings SET retry_at = '-infinity'
             WHERE tenant_id = {0} AND attempts < 5
            """,
            DSL.val(rapport.tenant()));
    return stale().getState() == StaleEmbedding.State.FAILED && stale().getAttempts() == 5;
  }

  @Test
  void countsNoAttemptWhileTheEndpointIsDown() throws Exception {
    try (EmbeddingEndpoint endpoint = new EmbeddingEndpoint()) {
      endpoint.answer(500, null, Integer.MAX_VALUE);
      makeUser(rapport.client(), "a");
      makeUser(rapport.client(), "b");
      rapport.client().embeddings().start(KIND, endpoint.model(), 8);
      try (RapportServer _ = rapport.serve(settings(endpoint))) {
        GivenTexts.await(() -> endpoint.requests() >= 5);
        GivenTexts.await(() -> coverage(rapport.client()).getClaimed() == 0);

        assertThat(stale().getAttempts()).isZero();
        assertThat(stale().getFailure()).isEmpty();
        assertThat(endpoint.requests()).isEqualTo(5);
      }
    }
  }

  @Test
  void anAnswerThatDoesntEndHoldsUpOneTenantOnly() throws Exception {
    try (EmbeddingEndpoint endpoint = new EmbeddingEndpoint();
        RapportClient other = rapport.clientOf(rapport.newTenant())) {
      endpoint.stall("slow");
      makeUser(rapport.client(), "slow");
      rapport.client().embeddings().start(KIND, endpoint.model(), 8);
      other.embeddings().start(KIND, endpoint.model(), 8);
      try (RapportServer _ = rapport.serve(settings(endpoint))) {
        GivenTexts.await(() -> endpoint.requests() > 0);
        for (int i = 0; i < 3; i++) {
          int count = i + 1;
          makeUser(other, "u" + i);
          GivenTexts.await(() -> coverage(other).getEmbedded() == count);
        }
        endpoint.letGo();
      }
    }
  }

  /** Its text is being written just when the vector comes, and then isn't. */
  @Test
  void aTextThatIsOvertakenIsGivenBack() throws Exception {
    try (EmbeddingEndpoint endpoint = new EmbeddingEndpoint()) {
      endpoint.holdAfter(0);
      makeUser(rapport.client(), "u");
      rapport.client().embeddings().start(KIND, endpoint.model(), 8);
      try (RapportServer _ = rapport.serve(settings(endpoint))) {
        GivenTexts.await(() -> endpoint.requests() > 0);
        rapport
            .sql()
            .transaction(writing -> {
              writing
                  .dsl()
                  .execute(
                      "SELECT FROM search.documents WHERE tenant_id = {0} FOR UPDATE",
                      DSL.val(rapport.tenant()));
              endpoint.letGo();
              GivenTexts.await(() -> coverage(rapport.client()).getClaimed() == 0);
            });
        GivenTexts.await(() -> coverage(rapport.client()).getEmbedded() == 1);
      }
    }
  }

  @Test
  void leavesAModelOfOtherDimensionsAlone() throws Exception {
    try (EmbeddingEndpoint endpoint = new EmbeddingEndpoint();
        RapportClient other = rapport.clientOf(rapport.newTenant())) {
      for (RapportClient client : List.of(rapport.client(), other)) {
        makeUser(client, "u");
      }
      rapport.client().embeddings().start(KIND, endpoint.model(), 6);
      other.embeddings().start(KIND, endpoint.model(), 8);
      try (RapportServer server = rapport.serve(settings(endpoint));
          RapportClient there = rapport.clientOf(server)) {
        GivenTexts.await(() -> coverage(other).getEmbedded() == 1);
        GivenTexts.await(() -> endpoint.requests() == 1);

        assertThat(coverage(there).getServed()).isFalse();
        assertThat(coverage(there).getEmbedded()).isZero();
        assertThat(stale().getAttempts()).isZero();
      }
    }
  }
}
