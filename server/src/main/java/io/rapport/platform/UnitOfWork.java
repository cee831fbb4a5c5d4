package io.rapport.platform;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.grpc.Context;
import io.grpc.Deadline;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/**
 * A write, in one transaction: its rows, what must follow from them, the commit's number, the entry
 * in the change log, and the answer that the same request will get again.
 *
 * <p>The request's row is made first. So whoever asks the same at the same time waits until this
 * transaction has ended, and then finds its answer, or nothing and does the work. A request that is
 * refused leaves no row.
 */
public final class UnitOfWork {
  /** How often to ask what became of a commit whose connection broke. */
  private static final int TRIES = 3;

  /** A commit that is waiting for a replica must not be broken off: it is done already. */
  private static final String ANSWER =
      """
      , done AS (
        SELECT COALESCE(
          (SELECT position FROM head),
          (SELECT position FROM platform.tenant_heads WHERE tenant_id = {0}), 0) AS position
      ), answered AS (
        UPDATE platform.requests r SET answer = a.answer, position = done.position
          FROM done, unnest({6}::bytea[], {7}::text[], {8}::uuid[]) AS a (answer, subject, id)
         WHERE r.tenant_id = {0} AND r.subject = a.subject AND r.request_id = a.id
      )
      SELECT position, set_config('statement_timeout', '0', true) FROM done
      """;

  private final TenantDb db;
  private final ChangeLog log;
  private final RequestStore requests = new RequestStore();

  /** What a request came to. */
  record Done<A>(A answer, long position, boolean replayed) {}

  /** A request, and what it is answered; both are kept. */
  record Answer(RequestKey key, Message message) {}

  public UnitOfWork(TenantDb db, ChangeLog log) {
    this.db = db;
    this.log = log;
  }

  /**
   * Does what a request asks for, once. If it is only to be validated, it is done and undone.
   *
   * @param answers reads the answer that was given before
   */
  public <A extends Message> A write(
      Message request, Parser<A> answers, Function<Transaction, A> work) {
    if (RequestKey.isValidateOnly(request)) {
      return tried(work);
    }
    Caller caller = Caller.current();
    return once(caller, request, key -> doIt(caller, key, answers, work));
  }

  /**
   * Has writes that come at the same time share transactions.
   *
   * @param name what the threads that write are called
   */
  public <C, R> SharedWrites<C, R> shared(String name, SharedWork<C, R> work) {
    return new SharedWrites<>(name, this, work);
  }

  /** Does work and undoes it. */
  <A> A tried(Function<Transaction, A> work) {
    Caller.Tenant tenant = Caller.currentTenant();
    return db.undone(tenant.id(), tx -> work.apply(new Transaction(tenant, tx, true)));
  }

  /** Does what a request asks for until its outcome is known, and says what else is to be told. */
  <A> A once(Caller caller, Message request, Function<@Nullable RequestKey, Done<A>> work) {
    RequestKey key = RequestKey.of(caller, request).orElse(null);
    Done<A> done = key == null ? work.apply(null) : untilKnown(() -> work.apply(key));
    log.committed(caller.tenant().id());
    Failpoint.hit("tx.afterCommitBeforeReply");
    CallTrailers trailers = CallTrailers.current();
    trailers.position(Positions.encode(caller.tenant(), done.position()));
    if (done.replayed()) {
      trailers.replayed();
    }
    return done.answer();
  }

  /**
   * Repeats work as long as the outcome of its commit is unknown. It must be work that is done once
   * however often it is repeated.
   */
  public static <T> T untilKnown(Supplier<T> work) {
    for (int tries = 1; ; tries++) {
      try {
        return work.get();
      } catch (DataAccessException e) {
        throw tries == 1 ? e : Failures.unknownOutcome(); // that of the try before
      } catch (ServiceException e) {
        if (tries > 1 && Failures.tellsNothing(e)) {
          throw Failures.unknownOutcome();
        }
        if (!Failures.mayBecomeKnown(e) || tries == TRIES || isTooLate()) {
          throw e;
        }
      }
    }
  }

  private static boolean isTooLate() {
    Deadline deadline = Context.current().getDeadline();
    return deadline != null && deadline.isExpired();
  }

  private <A extends Message> Done<A> doIt(
      Caller caller, @Nullable RequestKey key, Parser<A> answers, Function<Transaction, A> work) {
    List<RequestKey> keys = key == null ? List.of() : List.of(key);
    return inTransaction(
        caller.tenant(),
        keys,
        (tx, reserved) -> {
          if (key != null && !reserved.contains(key)) {
            return replay(tx, key, answers);
          }
          A answer = work.apply(tx);
          long position = end(tx, key == null ? List.of() : List.of(new Answer(key, answer)));
          return new Done<>(answer, position, false);
        });
  }

  /** Runs work in a transaction that has made the rows of requests: those that weren't there. */
  <T> T inTransaction(
      Caller.Tenant tenant,
      Collection<RequestKey> keys,
      BiFunction<Transaction, Set<RequestKey>, T> work) {
    return db.write(
        tenant.id(),
        dsl -> {
          Set<RequestKey> reserved = requests.reserve(dsl, tenant.id(), keys);
          Failpoint.hit("idem.afterReserve");
          return work.apply(new Transaction(tenant, dsl, false), reserved);
        });
  }

  /** What a request was answered before. */
  <A extends Message> Done<A> replay(Transaction tx, RequestKey key, Parser<A> answers) {
    RequestStore.Answered answered = requests.find(tx.dsl(), tx.tenant(), key);
    try {
      return new Done<>(answers.parseFrom(answered.answer()), answered.position(), true);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a stored answer can't be read", e);
    }
  }

  /** Ends the writes of a transaction by one statement; returns the commit's number. */
  long end(Transaction tx, List<Answer> answers) {
    List<RequestKey> keys = answers.stream().map(Answer::key).toList();
    return log.append(
            tx.dsl(),
            tx.tenant(),
            tx.changes(),
            ANSWER,
            DSL.val(answers.stream().map(it -> it.message().toByteArray()).toArray(byte[][]::new)),
            DSL.val(RequestStore.subjects(keys)),
            DSL.val(RequestStore.ids(keys)))
        .get(0, Long.class);
  }
}
