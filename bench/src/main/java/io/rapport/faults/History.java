package io.rapport.faults;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/** All that clients did, and what they were told. */
final class History {
  private final Queue<Operation> operations = new ConcurrentLinkedQueue<>();

  void add(Operation operation) {
    operations.add(operation);
  }

  /** Writes of several things by one call. */
  void add(int client, String rpc, Collection<String> keys, long start, Outcome outcome) {
    long end = System.nanoTime();
    keys.forEach(key -> add(new Operation(client, rpc, key, start, end, outcome)));
  }

  List<Operation> operations() {
    return List.copyOf(operations);
  }

  long count(Outcome outcome) {
    return operations.stream().filter(it -> it.outcome() == outcome).count();
  }

  /** How many were done, by RPC. */
  Map<String, Long> doneByRpc() {
    Map<String, Long> done = new TreeMap<>();
    operations.stream()
        .filter(it -> it.outcome() == Outcome.OK)
        .forEach(it -> done.merge(it.rpc(), 1L, Long::sum));
    return done;
  }

  /** Milliseconds from a moment until a call that began after it was done; -1 if none was. */
  long recoveryMillis(long since) {
    return operations.stream()
        .filter(it -> it.outcome() == Outcome.OK && it.start() > since)
        .mapToLong(it -> (it.end() - since) / 1_000_000)
        .min()
        .orElse(-1);
  }
}
