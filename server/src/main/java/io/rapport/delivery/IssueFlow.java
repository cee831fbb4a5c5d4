package io.rapport.delivery;

import io.rapport.delivery.v1.Issue;
import io.rapport.delivery.v1.IssueChangelog;
import io.rapport.delivery.v1.Status;
import io.rapport.delivery.v1.StatusMapping;
import io.rapport.delivery.v1.Workflow;
import io.rapport.platform.Transaction;
import io.rapport.platform.resource.Consequence.Written;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Works out anew how issues flow when what says so is written: their changes of status, they
 * themselves, and what statuses mean. See docs/adr/0017.
 */
final class IssueFlow {
  private final FlowStore flow = new FlowStore();
  private final MeaningStore meanings = new MeaningStore();

  void changelogsWritten(Transaction tx, List<Written<IssueChangelog>> written) {
    List<UUID> issues =
        written.stream().map(it -> UUID.fromString(it.entity().getIssueId())).toList();
    workOut(tx, issues, ids(written));
  }

  void issuesWritten(Transaction tx, List<Written<Issue>> written) {
    workOut(tx, ids(written), ids(written));
  }

  private void workOut(Transaction tx, Collection<UUID> issues, Collection<UUID> written) {
    meanings.hold(tx.dsl(), tx.tenant());
    flow.workOut(tx.dsl(), tx.tenant(), issues, written).forEach(tx::changed);
  }

  void statusesWritten(Transaction tx, List<Written<Status>> written) {
    meaningChanged(tx, ids(written));
  }

  void mappingsWritten(Transaction tx, List<Written<StatusMapping>> written) {
    meaningChanged(tx, meanings.statusesOf(tx.dsl(), tx.tenant(), ids(written)));
  }

  /** A commitment point concerns all steps of its workflow. */
  void workflowsWritten(Transaction tx, List<Written<Workflow>> written) {
    meaningChanged(tx, meanings.statusesInWorkflows(tx.dsl(), tx.tenant()));
  }

  private void meaningChanged(Transaction tx, Collection<UUID> statuses) {
    if (statuses.isEmpty()) {
      return;
    }
    meanings.seize(tx.dsl(), tx.tenant());
    Optional<List<UUID>> few =
        meanings
            .fewIssues(tx.dsl(), tx.tenant(), statuses)
            .filter(issues -> meanings.lock(tx.dsl(), tx.tenant(), issues));
    few.ifPresentOrElse(
        issues -> flow.workOut(tx.dsl(), tx.tenant(), issues, List.of()).forEach(tx::changed),
        () -> meanings.putOff(tx.dsl(), tx.tenant(), statuses));
  }

  private static List<UUID> ids(List<? extends Written<?>> written) {
    return written.stream().map(Written::id).toList();
  }
}
