package io.rapport.versioning.dataset;

import io.rapport.versioning.v1.QualityWeights;
import java.util.Collection;

/** How good records are, each score from 0 to 1. */
record QualityScores(double completeness, double consistency, double validity, double overall) {
  /**
   * The scores of records with these features. A cell is a feature of a record:
   *
   * <ul>
   *   <li>completeness = populated cells / cells; 0 without cells
   *   <li>consistency = 1 - mismatches / cells; 1 with fewer than 2 records, or without cells
   *   <li>validity = valid cells / cells; 0 without cells
   *   <li>overall: the three, each by its weight
   * </ul>
   */
  static QualityScores of(long records, Collection<FieldTally> fields, QualityWeights weights) {
    double cells = (double) records * fields.size();
    double completeness = share(fields.stream().mapToLong(FieldTally::populated).sum(), cells);
    double validity = share(fields.stream().mapToLong(FieldTally::valid).sum(), cells);
    double consistency =
        records < 2 ? 1 : 1 - share(fields.stream().mapToLong(FieldTally::mismatches).sum(), cells);
    double overall =
        weights.getCompleteness() * completeness
            + weights.getConsistency() * consistency
            + weights.getValidity() * validity;
    return new QualityScores(completeness, consistency, validity, Math.clamp(overall, 0, 1));
  }

  private static double share(long part, double whole) {
    return whole == 0 ? 0 : part / whole;
  }
}
