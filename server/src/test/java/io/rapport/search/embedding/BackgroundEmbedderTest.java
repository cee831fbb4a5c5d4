package io.rapport.search.embedding;

import static io.rapport.search.embedding.GivenTexts.KIND;
import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.client.RapportClient;
import io.rapport.identity.v1.User;
import io.rapport.search.EmbeddingEndpoint;
import io.rapport.server.Rapport;
import io.rapport.server.RapportServer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A server that embeds what is stale, by an endpoint. */
@Timeout(90)
class BackgroundEmbedderTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static Map<String, String> settings(EmbeddingEndpoint endpoint, String... more) {
    Map<String, String> all = new HashMap<>();
    all.put("RAPPORT_EMBEDDERS", "openai");
    all.put("RAPPORT_EMBEDDING_URL", endpoint.url());
    all.put("RAPPORT_EMBEDDING_MODEL", endpoint.model());
    all.put("RAPPORT_EMBEDDING_DIMENSIONS", "8");
    all.put("RAPPORT_EMBED_STALE", "true");
    for (int i = 0; i < more.length; i += 2) {
      all.put(more[i], more[i + 1]);
    }
    return all;
  }

  private static long embedded(RapportClient client) {
    return client.embeddings().coverage(KIND).get(0).getEmbedded();
  }

  private static void makeUsers(RapportClient client, int count) {
    for (int i = 0; i < count; i++) {
      client
          .users()
          .create(User.newBuilder().setFirstName("u" + i).setEmail(i + "@example.org").build());
    }
  }

  @Test
  void embedsTextsOfAllTenantsAndWhatComesLater() throws Exception {
    UUID second = rapport.newTenant();
    try (EmbeddingEndpoint endpoint = new EmbeddingEndpoint();
        RapportClient other = rapport.clientOf(second);
        RapportServer server = rapport.serve(settings(endpoint))) {
      for (RapportClient client : List.of(rapport.client(), other)) {
        makeUsers(client, 3);
        client.embeddings().start(KIND, endpoint.model(), 8);
      }
      GivenTexts.await(() -> embedded(rapport.client()) == 3 && embedded(other) == 3);
      makeUsers(rapport.clientOf(rapport.newTenant()), 1); // without a model: not its business
      rapport.client().users().create(User.newBuilder().setFirstName("late").build());
      GivenTexts.await(() -> embedded(rapport.client()) == 4);

      try (RapportClient there = rapport.clientOf(server)) {
        assertThat(there.embeddings().coverage(KIND).get(0).getServed()).isTrue();
      }
      assertThat(rapport.client().embeddings().coverage(KIND).get(0).getServed()).isFalse();
    }
  }

  /** The texts of one tenant never fill more than one of two batches. */
  @Test
  void letsATenantWithFewTextsNotWaitForOneWithMany() throws Exception {
    UUID small = rapport.newTenant();
    try (EmbeddingEndpoint endpoint = new EmbeddingEndpoint();
        RapportClient few = rapport.clientOf(small)) {
      makeUsers(rapport.client(), 150);
      makeUsers(few, 1);
      rapport.client().embeddings().start(KIND, endpoint.model(), 8);
      few.embeddings().start(KIND, endpoint.model(), 8);
      endpoint.holdAfter(64);
      try (RapportServer _ = rapport.serve(settings(endpoint))) {
        GivenTexts.await(() -> embedded(few) == 1);
        assertThat(embedded(rapport.client())).isLessThan(150);
        endpoint.letGo();
        GivenTexts.await(() -> embedded(rapport.client()) == 150);
      }
    }
  }

  @Test
  void failsOnlyTheTextThatTheEndpointRefuses() throws Exception {
    try (EmbeddingEndpoint endpoint = new EmbeddingEndpoint();
        RapportServer _ = rapport.serve(settings(endpoint))) {
      endpoint.refuse("odd");
      makeUsers(rapport.client(), 3);
      rapport.client().users().create(User.newBuilder().setFirstName("odd").build());
      rapport.client().embeddings().start(KIND, endpoint.model(), 8);

      GivenTexts.await(() -> {
        var coverage = rapport.client().embeddings().coverage(KIND).get(0);
        return coverage.getEmbedded() == 3 && coverage.getFailed() == 1;
      });
    }
  }

  @Test
  void twoServersShareTheWork() throws Exception {
    try (EmbeddingEndpoint endpoint = new EmbeddingEndpoint()) {
      makeUsers(rapport.client(), 100);
      rapport.client().embeddings().start(KIND, endpoint.model(), 8);
      try (RapportServer _ = rapport.serve(settings(endpoint));
          RapportServer _ = rapport.serve(settings(endpoint))) {
        GivenTexts.await(() -> embedded(rapport.client()) == 100);
      }
      assertThat(endpoint.texts()).isEqualTo(100);
    }
  }

  @Test
  void waitsOutAnEndpointThatIsDown() throws Exception {
    try (EmbeddingEndpoint endpoint = new EmbeddingEndpoint();
        RapportServer _ = rapport.serve(settings(endpoint))) {
      endpoint.answer(503, "1", 6);
      makeUsers(rapport.client(), 2);
      rapport.client().embeddings().start(KIND, endpoint.model(), 8);

      GivenTexts.await(() -> embedded(rapport.client()) == 2);
      assertThat(endpoint.requests()).isGreaterThanOrEqualTo(7);
    }
  }
}
