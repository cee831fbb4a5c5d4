package io.rapport.search.audit;

/** How searches go by an index (docs/adr/0016: why so). */
final class IndexSearch {
  /** How many candidates the index keeps at least. */
  static final int EF_SEARCH = 100;

  private IndexSearch() {}
}
