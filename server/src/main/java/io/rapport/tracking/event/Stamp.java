package io.rapport.tracking.event;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.rapport.platform.json.ByteWriter;
import io.rapport.platform.json.Json;
import io.rapport.platform.json.JsonWriter;
import io.rapport.tracking.v1.ContractViolation;
import io.rapport.tracking.v1.ContractViolation.Rule;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What an event breaks of a contract, as it is kept beside the event: a JSON array. */
final class Stamp {
  private static final int TYPICAL_SIZE = 128;

  private Stamp() {}

  static ByteString toJson(List<ContractViolation> violations) {
    List<Map<String, String>> all = new ArrayList<>(violations.size());
    for (ContractViolation violation : violations) {
      Map<String, String> one = new TreeMap<>();
      one.put("path", violation.getPath());
      one.put("rule", violation.getRule().name());
      one.put("description", violation.getDescription());
      all.add(one);
    }
    ByteWriter bytes = new ByteWriter(TYPICAL_SIZE);
    JsonWriter.write(all, bytes);
    return UnsafeByteOperations.unsafeWrap(bytes.copy());
  }

  static List<ContractViolation> parse(String json) {
    byte[] object = ("{\"all\":" + json + "}").getBytes(StandardCharsets.UTF_8);
    List<ContractViolation> violations = new ArrayList<>();
    if (Json.parseStored(object).get("all") instanceof List<?> all) {
      all.forEach(one -> violations.add(violation((Map<?, ?>) one)));
    }
    return violations;
  }

  private static ContractViolation violation(Map<?, ?> stored) {
    return ContractViolation.newBuilder()
        .setPath(String.valueOf(stored.get("path")))
        .setRule(Rule.valueOf(String.valueOf(stored.get("rule"))))
        .setDescription(String.valueOf(stored.get("description")))
        .build();
  }
}
