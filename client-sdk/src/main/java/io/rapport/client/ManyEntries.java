package io.rapport.client;

import com.google.protobuf.MessageLite;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Reads many entries of a cache. */
final class ManyEntries {
  private static final int MAX_KEYS = 500;

  /** An answer with fewer bytes than this is whole: the service leaves values out after 4 MiB. */
  private static final long SURELY_WHOLE_BYTES = 3 << 20;

  private ManyEntries() {}

  /**
   * Reads the entries of keys.
   *
   * @param read one call
   * @param mayBeLeftOut whether a result is what the service gives where it leaves a value out
   */
  static <K extends MessageLite, R extends MessageLite> List<R> read(
      Collection<K> keys, Function<List<K>, List<R>> read, Predicate<R> mayBeLeftOut) {
    List<R> results = new ArrayList<>(keys.size());
    for (List<K> part : Parts.of(List.copyOf(keys), MAX_KEYS)) {
      results.addAll(readPart(part, read, mayBeLeftOut));
    }
    return results;
  }

  /** Asks again for what was left out: every answer that leaves something out has values. */
  private static <K, R extends MessageLite> List<R> readPart(
      List<K> keys, Function<List<K>, List<R>> read, Predicate<R> mayBeLeftOut) {
    List<R> results = new ArrayList<>(read.apply(keys));
    List<R> last = results;
    List<Integer> open = Stream.iterate(0, i -> i + 1).limit(keys.size()).toList();
    while (bytes(last) >= SURELY_WHOLE_BYTES) {
      open = open.stream().filter(i -> mayBeLeftOut.test(results.get(i))).toList();
      if (open.isEmpty()) {
        break;
      }
      last = read.apply(open.stream().map(keys::get).toList());
      for (int i = 0; i < last.size(); i++) {
        results.set(open.get(i), last.get(i));
      }
    }
    return results;
  }

  private static long bytes(List<? extends MessageLite> results) {
    return results.stream().mapToLong(MessageLite::getSerializedSize).sum();
  }
}
