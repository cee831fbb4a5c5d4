package io.rapport.monitoring.alert;

import io.rapport.monitoring.v1.AlertSilence;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Times;
import io.rapport.platform.resource.Rule;
import io.rapport.platform.v1.ErrorReason;
import java.time.Clock;

/** A silence that is written must have something to come: one that is to end is deleted. */
final class SilenceRule implements Rule<AlertSilence> {
  private final Clock clock;

  SilenceRule(Clock clock) {
    this.clock = clock;
  }

  @Override
  public void check(AlertSilence silence, String path) {
    boolean over = !Times.instant(silence.getSilencedUntilAt()).isAfter(clock.instant());
    if (silence.getActive() && over) {
      throw ServiceException.invalid(
          path + ".silenced_until_at",
          ErrorReason.INVALID_FIELD,
          "must lie in the future; to end a silence, delete it");
    }
  }
}
