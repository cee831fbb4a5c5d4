package io.rapport.versioning.model;

import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toSet;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Transaction;
import io.rapport.platform.resource.StructJson;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.versioning.Writing;
import io.rapport.versioning.v1.GateOverride;
import io.rapport.versioning.v1.PromotionGate;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Asks the gates about a version that users are to get, in the transaction that gives it them. */
final class GateCheck {
  private final VersionStore versions = new VersionStore();
  private final PolicyStore policies = new PolicyStore();
  private final OpenAlerts alerts;

  GateCheck(OpenAlerts alerts) {
    this.alerts = alerts;
  }

  /** How the version does at each gate. */
  List<PromotionGate> results(Writing write, Version version, List<GateOverride> overrides) {
    String type = version.modelType();
    return new Gates(policies.find(write.dsl(), write.tenant(), type), overridden(overrides))
        .results(
            version,
            versions.active(write.dsl(), write.tenant(), type).orElse(null),
            alerts.critical(write.dsl(), write.tenant(), type));
  }

  private static Set<PromotionGate.Gate> overridden(List<GateOverride> overrides) {
    Set<PromotionGate.Gate> overridden = new HashSet<>();
    for (int i = 0; i < overrides.size(); i++) {
      if (!overridden.add(overrides.get(i).getGate())) {
        throw ServiceException.invalid(
            "overrides[" + i + "].gate", ErrorReason.INVALID_FIELD, "is overridden twice");
      }
    }
    return overridden;
  }

  /**
   * Whether the version passes; in a trial it may fail, which is told.
   *
   * @throws ServiceException with the gates that it fails, unless it is a trial
   */
  static boolean passed(Transaction tx, List<PromotionGate> gates) {
    List<PromotionGate> failed = Gates.failed(gates);
    if (failed.isEmpty() || tx.isTrial()) {
      return failed.isEmpty();
    }
    String names = failed.stream().map(it -> it.getGate().name()).collect(joining(","));
    throw ServiceException.failedPrecondition(
            ErrorReason.PROMOTION_GATES_FAILED,
            "the version fails gates: " + names,
            failed.stream()
                .map(it ->
                    ServiceException.violation(
                        "gates." + it.getGate().name(),
                        ErrorReason.PROMOTION_GATES_FAILED,
                        it.getDetail()))
                .toList())
        .with("gates", names);
  }

  /** The reasons of those overrides that were needed, as JSON; null if none was. */
  static @Nullable String reasons(List<PromotionGate> gates, List<GateOverride> overrides) {
    Set<PromotionGate.Gate> needed =
        gates.stream()
            .filter(PromotionGate::getOverridden)
            .map(PromotionGate::getGate)
            .collect(toSet());
    Struct.Builder reasons = Struct.newBuilder();
    for (GateOverride override : overrides) {
      if (needed.contains(override.getGate())) {
        reasons.putFields(
            override.getGate().name(),
            Value.newBuilder().setStringValue(override.getReason()).build());
      }
    }
    return reasons.getFieldsCount() == 0 ? null : StructJson.write(reasons.build(), "overrides");
  }
}
