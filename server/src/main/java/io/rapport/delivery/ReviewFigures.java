package io.rapport.delivery;

import io.rapport.delivery.v1.PullRequestCommit;
import io.rapport.delivery.v1.PullRequestReview;
import io.rapport.platform.Transaction;
import io.rapport.platform.resource.Consequence.Written;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/** Works out anew how pull requests were reviewed when their reviews or commits are written. */
final class ReviewFigures {
  private final ReviewStore store = new ReviewStore();

  void reviewsWritten(Transaction tx, List<Written<PullRequestReview>> written) {
    workOut(tx, written.stream().map(it -> it.entity().getPullRequestId()));
  }

  void commitsWritten(Transaction tx, List<Written<PullRequestCommit>> written) {
    workOut(tx, written.stream().map(it -> it.entity().getPullRequestId()));
  }

  private void workOut(Transaction tx, Stream<String> pullRequests) {
    List<UUID> ids = pullRequests.map(UUID::fromString).toList();
    store.workOut(tx.dsl(), tx.tenant(), ids).forEach(tx::changed);
  }
}
