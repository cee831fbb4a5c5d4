package io.rapport.search.query;

import io.rapport.search.v1.KindReport.Mode;
import io.rapport.search.v1.Shortfall;
import java.util.List;

/**
 * What one kind gave.
 *
 * @param model whose vectors were compared; empty if none were
 * @param compared how many were compared; -1 if that isn't known
 * @param matching how many could be ranked; -1 if that isn't known
 * @param shortfalls why it gave fewer than wanted
 */
record Leg(
    Kind kind,
    Mode mode,
    String model,
    long compared,
    long matching,
    List<Candidate> candidates,
    List<Shortfall> shortfalls) {

  /** A kind that was not searched. */
  static Leg leftOut(Kind kind, Shortfall.Cause cause) {
    return new Leg(
        kind,
        Mode.MODE_UNSPECIFIED,
        "",
        -1,
        -1,
        List.of(),
        List.of(Shortfall.newBuilder().setCause(cause).build()));
  }
}
