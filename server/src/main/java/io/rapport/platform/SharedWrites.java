package io.rapport.platform;

import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.grpc.Context;
import io.rapport.platform.UnitOfWork.Done;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.function.Function;

/**
 * Writes of a tenant that come while others are being written share the next transaction, and so
 * its commit; each has an outcome, a request_id and an answer of its own. One that comes alone is
 * written at once.
 */
public final class SharedWrites<C, R> {
  private static final int WRITERS = 4;

  private final UnitOfWork work;
  private final SharedWork<C, R> shared;
  private final ConcurrentMap<UUID, WriteLane<C, R>> lanes = new ConcurrentHashMap<>();
  private final Executor writers;

  SharedWrites(String name, UnitOfWork work, SharedWork<C, R> shared) {
    this.work = work;
    this.shared = shared;
    this.writers = WriterThreads.of(name, WRITERS);
  }

  /**
   * Does what a request asks for, once, as {@link UnitOfWork#write} does.
   *
   * @param answer what the call's result is told as
   */
  public <A extends Message> A write(
      Message request, Parser<A> answers, C call, Function<R, A> answer) {
    if (RequestKey.isValidateOnly(request)) {
      return work.tried(tx -> answer.apply(alone(tx, call)));
    }
    Caller caller = Caller.current();
    return work.once(
        caller,
        request,
        key -> {
          SharedWrite<C, R, A> write = new SharedWrite<>(key, call, answers, answer);
          lane(caller.tenant()).add(write);
          return write.await();
        });
  }

  private WriteLane<C, R> lane(Caller.Tenant tenant) {
    return lanes.computeIfAbsent(
        tenant.id(), id -> new WriteLane<>(shared, (lane, writes) -> start(tenant, lane, writes)));
  }

  private void start(
      Caller.Tenant tenant, WriteLane<C, R> lane, List<SharedWrite<C, R, ?>> writes) {
    // The deadline of one must not be that of the others.
    Context context = writes.size() == 1 ? writes.getFirst().context() : Context.ROOT;
    writers.execute(
        context.wrap(() -> {
          commit(tenant, writes);
          lane.ended(writes);
        }));
  }

  private R alone(Transaction tx, C call) {
    try {
      return shared.on(tx, List.of(call)).getFirst();
    } catch (RefusedCalls e) {
      throw e.reasons().values().iterator().next();
    }
  }

  /** Ends all of the writes, whatever is met. */
  private void commit(Caller.Tenant tenant, List<SharedWrite<C, R, ?>> writes) {
    try {
      commitWithoutRefused(tenant, writes);
    } catch (RuntimeException | Error e) {
      writes.forEach(write -> write.fail(e));
    }
  }

  private void commitWithoutRefused(Caller.Tenant tenant, List<SharedWrite<C, R, ?>> writes) {
    List<SharedWrite<C, R, ?>> left = writes;
    try {
      while (!left.isEmpty()) {
        commitTogether(tenant, left);
        left = left.stream().filter(write -> !write.isEnded()).toList();
      }
    } catch (RuntimeException e) {
      if (left.size() > 1 && (Failures.isOfData(e) || Failures.isConflict(e))) {
        left.forEach(write -> commit(tenant, List.of(write)));
      } else {
        throw e;
      }
    }
  }

  /** Commits all writes, or none and ends those that are refused. */
  private void commitTogether(Caller.Tenant tenant, List<SharedWrite<C, R, ?>> writes) {
    List<RequestKey> keys = writes.stream().map(SharedWrite::key).filter(Objects::nonNull).toList();
    try {
      work.inTransaction(tenant, keys, (tx, reserved) -> doAll(tx, writes, reserved))
          .forEach(Runnable::run);
    } catch (RefusedWrites e) {
      e.endings.forEach(Runnable::run);
    }
  }

  /** Returns what is to be told when the transaction is committed. */
  private List<Runnable> doAll(
      Transaction tx, List<SharedWrite<C, R, ?>> writes, Set<RequestKey> reserved) {
    List<Runnable> endings = new ArrayList<>();
    List<SharedWrite<C, R, ?>> own = new ArrayList<>();
    for (SharedWrite<C, R, ?> write : writes) {
      RequestKey key = write.key();
      if (key == null || reserved.contains(key)) {
        own.add(write);
      } else {
        endings.add(replay(tx, key, write));
      }
    }
    if (!own.isEmpty()) {
      endings.addAll(doAll(tx, own));
    }
    return endings;
  }

  private <A extends Message> Runnable replay(
      Transaction tx, RequestKey key, SharedWrite<C, R, A> write) {
    try {
      Done<A> done = work.replay(tx, key, write.answers());
      return () -> write.end(done);
    } catch (ServiceException e) {
      throw new RefusedWrites(List.of(() -> write.fail(e)));
    }
  }

  private List<Runnable> doAll(Transaction tx, List<SharedWrite<C, R, ?>> writes) {
    List<C> calls = writes.stream().map(SharedWrite::call).toList();
    List<R> results;
    try {
      results = shared.on(tx, calls);
    } catch (RefusedCalls e) {
      List<Runnable> refusals = new ArrayList<>();
      e.reasons().forEach((i, reason) -> refusals.add(() -> writes.get(i).fail(reason)));
      throw new RefusedWrites(refusals);
    }
    for (int i = 0; i < writes.size(); i++) {
      writes.get(i).answer(results.get(i));
    }
    long position = work.end(tx, writes.stream().flatMap(write -> write.kept().stream()).toList());
    return List.of(() -> {
      try {
        shared.committed(tx.tenant(), calls);
      } finally { // whatever that meets, they are committed
        writes.forEach(write -> write.endAnswered(position));
      }
    });
  }

  /** Undoes a transaction because some of its writes are refused. */
  private static final class RefusedWrites extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final transient List<Runnable> endings;

    private RefusedWrites(List<Runnable> endings) {
      super("refused", null, false, false);
      this.endings = endings;
    }
  }
}
