package io.rapport.search.embedding;

import static io.rapport.search.embedding.GivenTexts.KIND;
import static io.rapport.search.embedding.GivenTexts.MODEL;
import static io.rapport.search.embedding.GivenTexts.vector;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Duration;
import com.google.rpc.Code;
import io.rapport.client.EmbeddingWorker;
import io.rapport.client.TextRefusedException;
import io.rapport.identity.v1.User;
import io.rapport.search.v1.ClaimStaleEmbeddingsResponse;
import io.rapport.search.v1.ClaimedText;
import io.rapport.search.v1.EmbeddingFailure;
import io.rapport.search.v1.EmbeddingResult.Result;
import io.rapport.search.v1.EmbeddingServiceGrpc;
import io.rapport.search.v1.ListStaleEmbeddingsRequest;
import io.rapport.search.v1.ReleaseEmbeddingClaimRequest;
import io.rapport.search.v1.RenewEmbeddingClaimRequest;
import io.rapport.search.v1.ReportEmbeddingFailuresRequest;
import io.rapport.search.v1.ReportEmbeddingFailuresResponse;
import io.rapport.search.v1.StaleEmbedding;
import io.rapport.search.v1.StaleEmbedding.State;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Handing out texts to be embedded. */
@Timeout(60)
class ClaimEmbeddingsTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private final GivenTexts given = new GivenTexts(rapport);

  private List<StaleEmbedding> stale(State... states) {
    return given
        .embeddings()
        .stale(
            ListStaleEmbeddingsRequest.newBuilder()
                .setKind(KIND)
                .addAllStates(List.of(states))
                .setPageSize(2)
                .build())
        .toList();
  }

  private Told renewal(String lease) {
    return Told.by(() ->
        EmbeddingServiceGrpc.newBlockingStub(rapport.channel())
            .renewEmbeddingClaim(
                RenewEmbeddingClaimRequest.newBuilder().setKind(KIND).setLeaseId(lease).build()));
  }

  private ReportEmbeddingFailuresResponse fail(
      ClaimStaleEmbeddingsResponse claim, boolean permanent) {
    return given
        .embeddings()
        .reportFailures(
            ReportEmbeddingFailuresRequest.newBuilder()
                .setKind(KIND)
                .setLeaseId(claim.getLeaseId())
                .setRetryAfter(Duration.getDefaultInstance())
                .addFailures(
                    EmbeddingFailure.newBuilder()
                        .setId(claim.getTexts(0).getId())
                        .setReason("too odd")
                        .setPermanent(permanent))
                .build());
  }

  private void expire(String lease) {
    rapport
        .sql()
        .execute(
            "UPDATE search.stale_embeddings SET leased_until = now() - interval '1 second'"
                + " WHERE lease_id = ?::uuid",
            lease);
  }

  @Test
  void givesEachTextToOne() {
    given.model();
    List<User> users = given.users(5);

    ClaimStaleEmbeddingsResponse first = given.claim(3);
    ClaimStaleEmbeddingsResponse second = given.claim(500);
    ClaimStaleEmbeddingsResponse third = given.claim(1);

    assertThat(first.getTextsList())
        .extracting(ClaimedText::getId)
        .containsExactlyElementsOf(users.subList(0, 3).stream().map(User::getId).toList());
    assertThat(first.getTexts(0).getText()).isEqualTo("u0\nu0@example.org");
    assertThat(first.getTexts(0).getContentHash()).isEqualTo(GivenTexts.hash(users.get(0)));
    assertThat(first.getModel()).isEqualTo(MODEL);
    assertThat(first.getDimensions()).isEqualTo(8);
    assertThat(second.getTextsList())
        .extracting(ClaimedText::getId)
        .containsExactlyElementsOf(users.subList(3, 5).stream().map(User::getId).toList());
    assertThat(third.getTextsList()).isEmpty();
    assertThat(third.getLeaseId()).isEmpty();
    assertThat(given.coverage().getClaimed()).isEqualTo(5);
    assertThat(stale()).hasSize(5);
    assertThat(stale(State.WAITING)).isEmpty();
  }

  @Test
  void passesOnWhatALostClaimHeld() {
    given.model();
    User ada = given.user("Ada");
    ClaimStaleEmbeddingsResponse lost = given.claim(1);
    expire(lost.getLeaseId());

    ClaimStaleEmbeddingsResponse next = given.claim(1);

    assertThat(next.getTexts(0).getId()).isEqualTo(ada.getId());
    assertThat(next.getTexts(0).getAttempt()).isEqualTo(2);
    assertThat(renewal(lost.getLeaseId()).reason()).isEqualTo("LEASE_LOST");
    assertThat(renewal(lost.getLeaseId()).code()).isEqualTo(Code.ABORTED);
    assertThat(fail(lost, true).getReported()).isZero();
    assertThat(given.put(ada, vector(1))).isEqualTo(Result.WRITTEN);
    assertThat(renewal(next.getLeaseId()).reason()).isEqualTo("LEASE_LOST");
  }

  @Test
  void extendsAClaimAndTakesItBack() {
    given.model();
    given.users(2);
    ClaimStaleEmbeddingsResponse claim = given.claim(2);

    var renewed =
        given
            .embeddings()
            .renew(
                RenewEmbeddingClaimRequest.newBuilder()
                    .setKind(KIND)
                    .setLeaseId(claim.getLeaseId())
                    .setLeaseTime(Duration.newBuilder().setSeconds(600))
                    .build());
    int released =
        given
            .embeddings()
            .release(
                ReleaseEmbeddingClaimRequest.newBuilder()
                    .setKind(KIND)
                    .setLeaseId(claim.getLeaseId())
                    .addIds(claim.getTexts(1).getId())
                    .build());

    assertThat(renewed.getTexts()).isEqualTo(2);
    assertThat(renewed.getLeaseExpiresAt().getSeconds())
        .isGreaterThan(claim.getLeaseExpiresAt().getSeconds() + 400);
    assertThat(released).isEqualTo(1);
    ClaimStaleEmbeddingsResponse again = given.claim(2);
    assertThat(again.getTextsList()).hasSize(1);
    assertThat(again.getTexts(0).getAttempt()).isEqualTo(1);
  }

  @Test
  void aChangedTextLeavesItsClaim() {
    given.model();
    User ada = given.user("Ada");
    ClaimStaleEmbeddingsResponse claim = given.claim(1);
    given.renamed(ada, "Augusta");

    assertThat(renewal(claim.getLeaseId()).reason()).isEqualTo("LEASE_LOST");
    assertThat(given.put(ada, vector(1))).isEqualTo(Result.STALE);
    ClaimStaleEmbeddingsResponse next = given.claim(1);
    assertThat(next.getTexts(0).getText()).startsWith("Augusta");
    assertThat(next.getTexts(0).getAttempt()).isEqualTo(1);
  }

  @Test
  void triesABoundedNumberOfTimes() {
    given.model();
    User ada = given.user("Ada");
    for (int attempt = 1; attempt <= 5; attempt++) {
      ClaimStaleEmbeddingsResponse claim = given.claim(1);
      assertThat(claim.getTexts(0).getAttempt()).isEqualTo(attempt);
      assertThat(fail(claim, false).getFailed()).isEqualTo(attempt == 5 ? 1 : 0);
    }

    assertThat(given.claim(1).getTextsList()).isEmpty();
    assertThat(given.coverage().getFailed()).isEqualTo(1);
    assertThat(stale(State.FAILED))
        .extracting(StaleEmbedding::getFailure)
        .containsExactly("too odd");
    given.renamed(ada, "Augusta");
    assertThat(given.claim(1).getTexts(0).getAttempt()).isEqualTo(1);
  }

  @Test
  void aLeaseThatRunsOutIsAnAttempt() {
    given.model();
    given.user("Ada");
    for (int attempt = 1; attempt <= 5; attempt++) {
      expire(given.claim(1).getLeaseId());
    }

    assertThat(given.claim(1).getTextsList()).isEmpty();
    assertThat(stale(State.FAILED)).hasSize(1);
  }

  @Test
  void triesAgainWhenAsked() {
    given.model();
    given.user("Ada");
    fail(given.claim(1), true);

    assertThat(given.claim(1).getTextsList()).isEmpty();
    assertThat(given.embeddings().retryFailed(KIND)).isEqualTo(1);
    assertThat(given.claim(1).getTexts(0).getAttempt()).isEqualTo(1);
  }

  @Test
  void aWorkerEmbedsAllButWhatItsEmbedderRefuses() {
    given.model();
    given.users(4);
    given.user("odd");
    AtomicInteger calls = new AtomicInteger();
    try (EmbeddingWorker worker =
        given
            .embeddings()
            .work(
                KIND,
                texts -> {
                  if (calls.incrementAndGet() == 1) {
                    throw new IOException("no route");
                  }
                  if (texts.stream().anyMatch(text -> text.startsWith("odd"))) {
                    throw new TextRefusedException("odd");
                  }
                  return texts.stream().map(text -> vector(text.hashCode())).toList();
                })) {
      GivenTexts.await(
          () -> given.coverage().getFailed() == 1 && given.coverage().getEmbedded() == 4);
      User late = given.user("late");
      GivenTexts.await(() -> given.coverage().getEmbedded() == 5);

      assertThat(worker.isRunning()).isTrue();
      assertThat(given.embeddings().get(KIND, List.of(late.getId()))).hasSize(1);
      assertThat(stale()).extracting(StaleEmbedding::getFailure).containsExactly("odd");
    }
  }
}
