package io.rapport.versioning.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rapport.platform.ServiceException;
import io.rapport.server.Rapport;
import io.rapport.versioning.v1.TrainingEvent.Status;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How far a training can go in one step. */
class TrainingStepsTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final Set<String> ALLOWED =
      Set.of(
          "PENDING IN_PROGRESS",
          "PENDING CANCELLED",
          "IN_PROGRESS PENDING",
          "IN_PROGRESS COMPLETED",
          "IN_PROGRESS FAILED",
          "IN_PROGRESS CANCELLED",
          "COMPLETED DEPLOYED");

  private static final List<Status> ALL =
      Arrays.stream(Status.values())
          .filter(it -> it != Status.UNRECOGNIZED && it != Status.STATUS_UNSPECIFIED)
          .toList();

  @Test
  void allowsNoOtherSteps() {
    for (Status from : ALL) {
      for (Status to : ALL) {
        if (ALLOWED.contains(from + " " + to)) {
          TrainingSteps.require(from, to);
        } else {
          assertThatThrownBy(() -> TrainingSteps.require(from, to))
              .isInstanceOf(ServiceException.class)
              .hasMessageContaining(from.name())
              .hasMessageContaining(to.name());
        }
      }
    }
  }

  @Test
  void agreesWithTheDatabase() {
    for (Status from : ALL) {
      for (Status to : ALL) {
        boolean allowed =
            rapport
                .sql()
                .fetchSingle("SELECT versioning.is_training_step(?, ?)", from.name(), to.name())
                .get(0, Boolean.class);
        assertThat(allowed).as(from + " " + to).isEqualTo(TrainingSteps.isAllowed(from, to));
      }
    }
  }

  @Test
  void isHeldByTheDatabase() {
    String id = rapport.client().learning().trigger("goal", "").getTrainingEvent().getId();

    assertThatThrownBy(() ->
            rapport
                .sql()
                .execute(
                    """
                    UPDATE versioning.model_training_events
                       SET status = 'DEPLOYED', ended_at = now(), model_path = 'x'
                     WHERE id = ?::uuid
                    """,
                    id))
        .hasMessageContaining("can't go from PENDING to DEPLOYED");
  }
}
