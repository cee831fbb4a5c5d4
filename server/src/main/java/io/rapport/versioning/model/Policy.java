package io.rapport.versioning.model;

/** What versions of a model type must fulfil: the tenant's policy, or what holds without one. */
record Policy(
    double validationFactor,
    double minimumDataQuality,
    long minimumTrainingSamples,
    boolean requireApproval,
    boolean requireDigest,
    boolean blockOnAlerts,
    double rollbackShare,
    long rollbackMinimumSamples,
    long staleAfterSeconds) {
  static final Policy USUAL = new Policy(1, 0.7, 20, true, true, true, 0.9, 20, 7 * 24 * 3600);
}
