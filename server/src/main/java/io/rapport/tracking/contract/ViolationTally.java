package io.rapport.tracking.contract;

import io.rapport.tracking.v1.CheckContractResponse;
import io.rapport.tracking.v1.ContractViolation;
import io.rapport.tracking.v1.ViolationCount;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** In which ways events break a contract, and how many do. */
final class ViolationTally {
  private static final int MAX_WAYS = 200;
  private static final int MAX_SAMPLES = 10;

  private final Map<ContractViolation, ViolationCount.Builder> ways = new LinkedHashMap<>();
  private long checked;
  private long violating;
  private boolean truncated;

  void add(UUID event, List<ContractViolation> violations) {
    checked++;
    violating += violations.isEmpty() ? 0 : 1;
    violations.forEach(violation -> add(event, violation));
  }

  private void add(UUID event, ContractViolation violation) {
    if (ways.size() == MAX_WAYS && !ways.containsKey(violation)) {
      truncated = true;
      return;
    }
    ViolationCount.Builder way =
        ways.computeIfAbsent(violation, it -> ViolationCount.newBuilder().setViolation(it));
    way.setCount(way.getCount() + 1);
    if (way.getSampleEventIdsCount() < MAX_SAMPLES) {
      way.addSampleEventIds(event.toString());
    }
  }

  long checked() {
    return checked;
  }

  CheckContractResponse.Builder toProto() {
    CheckContractResponse.Builder response =
        CheckContractResponse.newBuilder()
            .setChecked(checked)
            .setViolating(violating)
            .setTruncated(truncated);
    ways.values().stream()
        .sorted(Comparator.comparingLong(ViolationCount.Builder::getCount).reversed())
        .forEach(response::addViolations);
    return response;
  }
}
