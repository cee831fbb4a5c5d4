package io.rapport.client;

/**
 * What became of the events of an {@link EventWriter} so far. Every event counts once, whatever
 * happened on the way.
 *
 * @param written events that {@code write} took
 * @param recorded those that are recorded
 * @param duplicate those that were recorded before with the same content. After a broken connection
 *     these can be events that this very writer had sent: the service recorded them and its answer
 *     was lost.
 * @param conflict those under whose id another event is recorded
 * @param refused those that break a rule
 * @param quarantined those that break a contract and are in quarantine, now or from before
 * @param resent events that were sent again after a broken connection, each time counted
 */
public record IngestSummary(
    long written,
    long recorded,
    long duplicate,
    long conflict,
    long refused,
    long quarantined,
    long resent) {

  /** Events whose fate is not known. */
  public long undecided() {
    return written - recorded - duplicate - conflict - refused - quarantined;
  }
}
