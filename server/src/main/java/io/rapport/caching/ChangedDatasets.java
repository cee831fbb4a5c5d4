package io.rapport.caching;

/** What caching needs to know of datasets that others keep. */
public interface ChangedDatasets {
  /** Whether changes of this kind may change one. */
  boolean concerns(String kind);

  /**
   * An expression of SQL: the names of the datasets that a commit changes, as an array of texts. It
   * may read what a {@link io.rapport.platform.NumberSubscriber} may, and is evaluated only if
   * something depends on a dataset.
   */
  String names();
}
