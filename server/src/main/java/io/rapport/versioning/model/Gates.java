package io.rapport.versioning.model;

import io.rapport.versioning.v1.PromotionGate;
import io.rapport.versioning.v1.PromotionGate.Gate;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The conditions under which a version may become active. */
final class Gates {
  /** The states of trainings that have made a model. */
  static final Set<String> TRAINED = Set.of("COMPLETED", "DEPLOYED");

  private final Policy policy;
  private final Set<Gate> overridden;

  /**
   * @param overridden what may be passed without its condition
   */
  Gates(Policy policy, Set<Gate> overridden) {
    this.policy = policy;
    this.overridden = overridden;
  }

  /**
   * How a version does at each gate.
   *
   * @param active the version that it is going to replace
   * @param alerts how many critical ones are open
   */
  List<PromotionGate> results(Version version, @Nullable Version active, int alerts) {
    return List.of(
        validationScore(version, active),
        dataQuality(version),
        result(
            Gate.SAMPLE_COUNT,
            version.dataSize() >= policy.minimumTrainingSamples(),
            "trained with %d rows, %d are needed"
                .formatted(version.dataSize(), policy.minimumTrainingSamples())),
        result(
            Gate.DEPLOYMENT_APPROVED,
            version.approved() || !policy.requireApproval(),
            version.approved() ? "approved" : "no approved training made this model"),
        result(
            Gate.NO_CRITICAL_ALERT,
            alerts == 0 || !policy.blockOnAlerts(),
            alerts == 0 ? "no critical alert is open" : "critical alerts that are open: " + alerts),
        result(
            Gate.ARTEFACT_DIGEST,
            version.artefactDigest() != null || !policy.requireDigest(),
            version.artefactDigest() != null ? "known" : "the model's digest is not known"),
        training(version));
  }

  private PromotionGate validationScore(Version version, @Nullable Version active) {
    Double baseline = active == null ? null : active.baseline();
    if (baseline == null) {
      return result(Gate.VALIDATION_SCORE, true, "there is no active baseline to compare with");
    }
    double needed = policy.validationFactor() * baseline;
    Double score = version.score();
    return result(
        Gate.VALIDATION_SCORE,
        score != null && score >= needed,
        "the score is %s, %s is needed: %s x the active baseline %s"
            .formatted(
                number(score),
                number(needed),
                number(policy.validationFactor()),
                number(baseline)));
  }

  private PromotionGate dataQuality(Version version) {
    Double quality = version.dataQuality();
    return result(
        Gate.DATA_QUALITY,
        quality != null && quality >= policy.minimumDataQuality(),
        "the data's quality is %s, %s is needed"
            .formatted(number(quality), number(policy.minimumDataQuality())));
  }

  private PromotionGate training(Version version) {
    String status = version.trainingStatus();
    return result(
        Gate.TRAINING_COMPLETED,
        status != null && TRAINED.contains(status),
        status == null ? "no training made it" : "the training is " + status);
  }

  private static String number(@Nullable Double value) {
    return value == null ? "not known" : String.format(Locale.ROOT, "%.6g", value);
  }

  private PromotionGate result(Gate gate, boolean passed, String detail) {
    return PromotionGate.newBuilder()
        .setGate(gate)
        .setPassed(passed)
        .setOverridden(!passed && overridden.contains(gate))
        .setDetail(detail)
        .build();
  }

  /** Those that keep the version from being promoted. */
  static List<PromotionGate> failed(List<PromotionGate> results) {
    return results.stream().filter(it -> !it.getPassed() && !it.getOverridden()).toList();
  }
}
