package io.rapport.faults;

import static java.util.stream.Collectors.joining;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Which entities must be there before others can be made: those whose ids they hold. */
final class Parents {
  private final Map<String, Descriptor> entities = new HashMap<>();
  private final Map<String, Integer> above = new HashMap<>();

  Parents(Stream<Descriptor> entities) {
    entities.forEach(entity -> this.entities.put(entity.getName(), entity));
  }

  /** How many entities stand one above the other over this one. */
  int above(Descriptor entity) {
    Integer known = above.get(entity.getName());
    if (known != null) {
      return known;
    }
    int most = 0;
    for (FieldDescriptor field : entity.getFields()) {
      Descriptor parent = kind(field).map(entities::get).orElse(null);
      if (parent != null) {
        most = Math.max(most, 1 + above(parent));
      }
    }
    above.put(entity.getName(), most);
    return most;
  }

  /** What {@code pull_request_id} is the id of: a {@code PullRequest}. */
  static Optional<String> kind(FieldDescriptor field) {
    String name = field.getName();
    return name.endsWith("_id")
        ? Optional.of(
            Arrays.stream(name.substring(0, name.length() - "_id".length()).split("_"))
                .map(word -> Character.toUpperCase(word.charAt(0)) + word.substring(1))
                .collect(joining()))
        : Optional.empty();
  }
}
