package io.rapport.delivery;

import com.google.rpc.BadRequest.FieldViolation;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.platform.v1.UpsertOutcome;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Entities that are to be there as they were sent, written in the order of their keys so that
 * batches of the same ones can't deadlock.
 */
final class PutBatch<T> {
  /** Between the parts of a key: no name has it, because no text that is stored can. */
  static final String SEPARATOR = "\0";

  private final List<T> entities;
  private final Map<String, Integer> places = new TreeMap<>();

  /**
   * @param path where they stand in the request
   * @throws ServiceException if two have the same key
   */
  PutBatch(String path, List<T> entities, Function<T, String> key) {
    this.entities = entities;
    for (int i = 0; i < entities.size(); i++) {
      Integer first = places.putIfAbsent(key.apply(entities.get(i)), i);
      if (first != null) {
        String one = path + "[" + first + "]";
        String other = path + "[" + i + "]";
        throw ServiceException.invalid(
            ErrorReason.INVALID_FIELD, List.of(same(one, other), same(other, one)));
      }
    }
  }

  private static FieldViolation same(String path, String other) {
    return ServiceException.violation(
        path, ErrorReason.INVALID_FIELD, "has the same key as " + other);
  }

  /** What became of each, in their order. */
  List<UpsertOutcome> run(Function<T, UpsertOutcome> write) {
    Map<Integer, UpsertOutcome> done = new TreeMap<>();
    places.values().forEach(i -> done.put(i, write.apply(entities.get(i))));
    return done.values().stream().map(Objects::requireNonNull).toList();
  }

  /** The parts of a key; none if it is empty. */
  static List<String> parts(String key, int count) {
    return key.isEmpty() ? List.of() : List.of(key.split(SEPARATOR, count));
  }
}
