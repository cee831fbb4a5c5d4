package io.rapport.search;

/** How many candidates a search by a graph keeps at a time (docs/adr/0016). */
public final class Effort {
  /** More isn't possible. */
  public static final int MOST = 1000;

  private static final int LEAST = 100;

  private Effort() {}

  /** What is right for so many neighbours. */
  public static int of(int neighbours) {
    return Math.clamp(2L * neighbours, LEAST, MOST);
  }
}
