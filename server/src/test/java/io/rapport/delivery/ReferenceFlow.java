package io.rapport.delivery;

import com.google.protobuf.Timestamp;
import io.rapport.delivery.v1.Issue;
import io.rapport.delivery.v1.IssueChangelog;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** How an issue flows, told move by move as one would on paper. */
final class ReferenceFlow {
  private final Function<String, Team.@Nullable Meaning> meanings;
  private final Issue.Builder figures = Issue.newBuilder();
  private @Nullable Instant firstCommitted;
  private @Nullable Instant firstStarted;
  private @Nullable Instant lastStarted;
  private @Nullable Instant firstCompleted;
  private @Nullable Instant lastCompleted;
  private boolean startedSinceCompletion;
  private boolean straight;
  private long work;
  private long review;

  /**
   * @param meanings of statuses by their ids
   */
  ReferenceFlow(Function<String, Team.@Nullable Meaning> meanings) {
    this.meanings = meanings;
  }

  /** The figures of an issue, without all else; the changes get their times. */
  Issue of(Issue issue, List<IssueChangelog.Builder> changes) {
    List<IssueChangelog.Builder> moves = new ArrayList<>(changes);
    moves.forEach(it -> it.clearTransitionStartDate().clearTimeInStatusSeconds());
    moves.removeIf(it -> !it.getActive());
    moves.sort(
        Comparator.<IssueChangelog.Builder>comparingLong(
                it -> it.getTransitionChangeDate().getSeconds())
            .thenComparingLong(it -> Long.parseLong(it.getExternalId())));
    Timestamp since = issue.hasCreated() ? issue.getCreated() : null;
    for (IssueChangelog.Builder move : moves) {
      Instant now = instant(move.getTransitionChangeDate());
      long seconds = 0;
      if (since != null) {
        seconds = Math.max(0, Duration.between(instant(since), now).toSeconds());
        move.setTransitionStartDate(since).setTimeInStatusSeconds((double) seconds);
      }
      step(
          meanings.apply(move.getFromStatusId()),
          meanings.apply(move.getToStatusId()),
          now,
          seconds);
      since = move.getTransitionChangeDate();
    }
    return finish();
  }

  private void step(
      Team.@Nullable Meaning from, Team.@Nullable Meaning to, Instant now, long seconds) {
    String before = from == null ? "" : from.category();
    String after = to == null ? "" : to.category();
    work += before.equals("IN_PROGRESS") ? seconds : 0;
    review += before.equals("TO_DO") ? seconds : 0;
    if (to != null && to.commitment() && firstCommitted == null) {
      firstCommitted = now;
    }
    int stepBefore = from == null ? 0 : from.step();
    int stepAfter = to == null ? 0 : to.step();
    if (stepBefore > 4 && stepAfter > 0 && stepAfter <= 4) {
      figures.setTotalBacklogReturns(figures.getTotalBacklogReturns() + 1);
    }
    if (after.equals("IN_PROGRESS") && !before.equals("IN_PROGRESS")) {
      figures.setTotalWorkStarts(figures.getTotalWorkStarts() + 1);
      firstStarted = firstStarted == null ? now : firstStarted;
      lastStarted = now;
      startedSinceCompletion = true;
    }
    if (after.equals("DONE") && !before.equals("DONE")) {
      figures.setTotalCompletions(figures.getTotalCompletions() + 1);
      firstCompleted = firstCompleted == null ? now : firstCompleted;
      lastCompleted = now;
      straight = before.equals("TO_DO");
      startedSinceCompletion = false;
    }
  }

  private Issue finish() {
    if (firstCommitted != null) {
      figures.setWorkFirstCommittedAt(proto(firstCommitted));
    }
    if (firstStarted != null && lastStarted != null) {
      figures.setWorkFirstStartedAt(proto(firstStarted)).setWorkLastStartedAt(proto(lastStarted));
    }
    if (firstCompleted != null && lastCompleted != null) {
      figures
          .setWorkFirstCompletedAt(proto(firstCompleted))
          .setWorkLastCompletedAt(proto(lastCompleted));
    }
    int starts = figures.getTotalWorkStarts();
    int completions = figures.getTotalCompletions();
    return figures
        .setTotalWorkTimeSeconds((double) work)
        .setTotalReviewTimeSeconds((double) review)
        .setTotalCycleTimeSeconds(between(firstStarted, lastCompleted))
        .setTotalLeadTimeSeconds(between(firstCommitted, lastCompleted))
        .setWorkflowComplexityScore(
            2 * figures.getTotalBacklogReturns() + Math.max(0, completions - 1))
        .setReworkIndicator(starts > 1)
        .setDirectCompletion(
            completions > 0 && (starts == 0 || (straight && !startedSinceCompletion)))
        .build();
  }

  private static double between(@Nullable Instant first, @Nullable Instant second) {
    return first == null || second == null
        ? 0
        : (double) Math.max(0, Duration.between(first, second).toSeconds());
  }

  private static Instant instant(Timestamp time) {
    return Instant.ofEpochSecond(time.getSeconds());
  }

  private static Timestamp proto(Instant time) {
    return Timestamp.newBuilder().setSeconds(time.getEpochSecond()).build();
  }

  /** What is worked out of an issue that was read. */
  static Issue figures(Issue issue) {
    Issue.Builder figures = Issue.newBuilder();
    for (int number = Issue.WORK_FIRST_COMMITTED_AT_FIELD_NUMBER;
        number <= Issue.DIRECT_COMPLETION_FIELD_NUMBER;
        number++) {
      var field = Issue.getDescriptor().findFieldByNumber(number);
      if (issue.getAllFields().containsKey(field) && number != Issue.CODE_CHANGED_FIELD_NUMBER) {
        figures.setField(field, issue.getField(field));
      }
    }
    return figures.build();
  }
}
