package io.rapport.versioning.dataset;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** The figures of data quality, reckoned record by record in memory, as they are defined. */
record ReferenceQuality(
    double completeness,
    double consistency,
    double validity,
    long anomalies,
    long duplicates,
    long missing) {
  static ReferenceQuality of(List<Struct> records) {
    SortedMap<String, List<Value>> fields = new TreeMap<>();
    records.forEach(
        record -> record.getFieldsMap().keySet().forEach(k -> fields.put(k, new ArrayList<>())));
    for (Struct record : records) {
      fields.forEach((name, values) ->
          values.add(record.getFieldsOrDefault(name, Value.getDefaultInstance())));
    }
    double cells = (double) records.size() * fields.size();
    long populated = 0;
    long mismatches = 0;
    long valid = 0;
    long anomalies = 0;
    for (List<Value> values : fields.values()) {
      List<Value> there = values.stream().filter(ReferenceQuality::isPopulated).toList();
      populated += there.size();
      mismatches += there.size() - most(there);
      valid += there.stream().filter(ReferenceQuality::isValid).count();
      anomalies += anomalies(there);
    }
    return new ReferenceQuality(
        populated / cells,
        1 - mismatches / cells,
        valid / cells,
        anomalies,
        records.size() - new HashSet<>(records).size(),
        (long) cells - populated);
  }

  private static boolean isPopulated(Value value) {
    return switch (value.getKindCase()) {
      case NULL_VALUE, KIND_NOT_SET -> false;
      case STRING_VALUE -> !value.getStringValue().isEmpty();
      default -> true;
    };
  }

  private static long most(List<Value> values) {
    Map<Value.KindCase, Long> kinds = new EnumMap<>(Value.KindCase.class);
    values.forEach(value -> kinds.merge(value.getKindCase(), 1L, Long::sum));
    return kinds.values().stream().mapToLong(Long::longValue).max().orElse(0);
  }

  private static boolean isValid(Value value) {
    return switch (value.getKindCase()) {
      case NUMBER_VALUE -> Math.abs(value.getNumberValue()) <= 1e9;
      case STRING_VALUE -> value.getStringValue().length() <= 9999;
      default -> true;
    };
  }

  private static long anomalies(List<Value> values) {
    double[] numbers =
        values.stream().filter(Value::hasNumberValue).mapToDouble(Value::getNumberValue).toArray();
    double mean = Arrays.stream(numbers).average().orElse(0);
    double variance = Arrays.stream(numbers).map(x -> (x - mean) * (x - mean)).average().orElse(0);
    return Arrays.stream(numbers).filter(x -> Math.abs(x - mean) > 3 * Math.sqrt(variance)).count();
  }
}
