package io.rapport.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import io.rapport.client.DeliveryClient;
import io.rapport.delivery.v1.Integration;
import io.rapport.delivery.v1.ListPullRequestCommitsRequest;
import io.rapport.delivery.v1.ListPullRequestReviewsRequest;
import io.rapport.delivery.v1.PullRequest;
import io.rapport.delivery.v1.PullRequestCommit;
import io.rapport.delivery.v1.PullRequestReview;
import io.rapport.delivery.v1.PullRequestReview.State;
import io.rapport.delivery.v1.Repository;
import io.rapport.server.Rapport;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReviewFiguresTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void followAllReviewsAndCommits(long seed) {
    Random random = new Random(seed);
    DeliveryClient delivery = rapport.client().delivery();
    String integration =
        delivery.integrations().create(Integration.newBuilder().setName("code").build()).getId();
    String repository =
        delivery
            .repositories()
            .create(
                Repository.newBuilder().setIntegrationId(integration).setExternalId("r").build())
            .getId();
    List<PullRequest> made =
        List.of(1, 2).stream()
            .map(number ->
                delivery
                    .pullRequests()
                    .create(
                        PullRequest.newBuilder()
                            .setIntegrationId(integration)
                            .setRepositoryId(repository)
                            .setNumber(number)
                            .build()))
            .toList();
    for (int i = 0; i < 40; i++) {
      PullRequest pullRequest = made.get(random.nextInt(2));
      switch (random.nextInt(5)) {
        case 0, 1 ->
            delivery.pullRequestReviews().upsert(review(random, integration, pullRequest.getId()));
        case 2, 3 ->
            delivery.pullRequestCommits().upsert(commit(random, integration, pullRequest.getId()));
        default -> remove(random, delivery);
      }
      made.forEach(it -> requireRight(delivery, it.getId()));
    }
  }

  private static PullRequestReview review(Random random, String integration, String pullRequest) {
    PullRequestReview.Builder review =
        PullRequestReview.newBuilder()
            .setIntegrationId(integration)
            .setPullRequestId(pullRequest)
            .setExternalId("" + random.nextInt(8))
            .setState(State.forNumber(random.nextInt(6)))
            .setActive(true);
    if (random.nextInt(5) > 0) {
      review.setAuthorLogin("dev-" + random.nextInt(3));
    }
    return random.nextInt(5) == 0
        ? review.build()
        : review.setSubmittedAt(Team.at(random.nextInt(1000))).build();
  }

  private static PullRequestCommit commit(Random random, String integration, String pullRequest) {
    return PullRequestCommit.newBuilder()
        .setIntegrationId(integration)
        .setPullRequestId(pullRequest)
        .setExternalId("" + random.nextInt(8))
        .setAuthoredDate(Team.at(random.nextInt(1000)))
        .setActive(true)
        .build();
  }

  private static void remove(Random random, DeliveryClient delivery) {
    List<PullRequestReview> reviews = reviews(delivery);
    List<PullRequestCommit> commits = commits(delivery);
    if (!reviews.isEmpty() && random.nextBoolean()) {
      delivery.pullRequestReviews().deleteForGood(reviews.getFirst().getId());
    } else if (!commits.isEmpty()) {
      delivery.pullRequestCommits().delete(commits.getLast().getId());
    }
  }

  private static List<PullRequestReview> reviews(DeliveryClient delivery) {
    return delivery
        .pullRequestReviews()
        .list(ListPullRequestReviewsRequest.getDefaultInstance())
        .toList();
  }

  private static List<PullRequestCommit> commits(DeliveryClient delivery) {
    return delivery
        .pullRequestCommits()
        .list(ListPullRequestCommitsRequest.getDefaultInstance())
        .toList();
  }

  private static void requireRight(DeliveryClient delivery, String id) {
    long first = Long.MAX_VALUE;
    int cycles = 0;
    Set<String> reviewers = new HashSet<>();
    for (PullRequestReview review : reviews(delivery)) {
      if (review.getPullRequestId().equals(id) && review.getState() != State.PENDING) {
        first = review.hasSubmittedAt() ? Math.min(first, seconds(review.getSubmittedAt())) : first;
        reviewers.add(review.getAuthorLogin());
        boolean decided =
            review.getState() == State.APPROVED || review.getState() == State.CHANGES_REQUESTED;
        cycles += decided ? 1 : 0;
      }
    }
    reviewers.remove("");
    int rework = 0;
    for (PullRequestCommit commit : commits(delivery)) {
      boolean after = seconds(commit.getAuthoredDate()) > first;
      rework += commit.getPullRequestId().equals(id) && after ? 1 : 0;
    }
    PullRequest read = delivery.pullRequests().get(id).orElseThrow();
    assertThat(read.hasFirstReviewAt() ? seconds(read.getFirstReviewAt()) : Long.MAX_VALUE)
        .isEqualTo(first);
    assertThat(read.getReviewers()).isEqualTo(reviewers.size());
    assertThat(read.getReviewCycles()).isEqualTo(cycles);
    assertThat(read.getReworkCommitCount()).isEqualTo(rework);
  }

  private static long seconds(Timestamp time) {
    return time.getSeconds();
  }
}
