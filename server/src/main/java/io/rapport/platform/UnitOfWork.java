package io.rapport.platform;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.grpc.Context;
import io.grpc.Deadline;
import java.util.Optional;
import java.util.UUID;
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
        UPDATE platform.requests r SET answer = {6}, position = done.position FROM done
         WHERE r.tenant_id = {0} AND r.subject = {7} AND r.request_id = {8}
      )
      SELECT position, set_config('statement_timeout', '0', true) FROM done
      """;

  private final TenantDb db;
  private final ChangeLog log;
  private final RequestStore requests = new RequestStore();

  private record Done<A>(A answer, long position, boolean replayed) {}

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
    Caller caller = Caller.current();
    if (RequestKey.isValidateOnly(request)) {
      return db.undone(
          caller.tenant().id(), tx -> work.apply(new Transaction(caller.tenant(), tx, true)));
    }
    Optional<RequestKey> key = RequestKey.of(caller, request);
    Done<A> done =
        key.isPresent()
            ? untilKnown(() -> doIt(caller, key.get(), answers, work))
            : doIt(caller, null, answers, work);
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
    UUID tenant = caller.tenant().id();
    return db.write(
        tenant,
        dsl -> {
          if (key != null && !requests.reserve(dsl, tenant, key)) {
            return replay(requests.find(dsl, tenant, key), answers);
          }
          Failpoint.hit("idem.afterReserve");
          Transaction tx = new Transaction(caller.tenant(), dsl, false);
          A answer = work.apply(tx);
          return new Done<>(answer, end(tx, key, answer), false);
        });
  }

  private static <A extends Message> Done<A> replay(
      RequestStore.Answered answered, Parser<A> answers) {
    try {
      return new Done<>(answers.parseFrom(answered.answer()), answered.position(), true);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a stored answer can't be read", e);
    }
  }

  /** Ends the write by one statement; returns the commit's number. */
  private long end(Transaction tx, @Nullable RequestKey key, Message answer) {
    return log.append(
            tx.dsl(),
            tx.tenant(),
            tx.changes(),
            ANSWER,
            DSL.val(key == null ? null : answer.toByteArray(), byte[].class),
            DSL.val(key == null ? null : key.subject(), String.class),
            DSL.val(key == null ? null : key.id(), UUID.class))
        .get(0, Long.class);
  }
}
