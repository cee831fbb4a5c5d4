package io.rapport.search.audit;

/**
 * What searches found that were done both by an index and row by row.
 *
 * @param expected how many neighbours there are
 * @param found how many of them the index found
 * @param lowest the least recall of one of the searches
 */
record Findings(int searches, long expected, long found, double lowest) {
  static final Findings NONE = new Findings(0, 0, 0, 1);

  /** Under it, an alert is raised. */
  private static final double ENOUGH = 0.9;

  /** So many say something. */
  private static final int ENOUGH_SEARCHES = 5;

  double recall() {
    return expected == 0 ? 1 : (double) found / expected;
  }

  boolean suffices() {
    return searches >= ENOUGH_SEARCHES;
  }

  boolean low() {
    return recall() < ENOUGH;
  }

  Findings plus(Findings more) {
    return new Findings(
        searches + more.searches,
        expected + more.expected,
        found + more.found,
        Math.min(lowest, more.lowest));
  }
}
