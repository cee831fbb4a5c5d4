package io.rapport.versioning;

import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.rapport.platform.Caller;
import io.rapport.platform.Transaction;
import io.rapport.platform.Turns;
import io.rapport.platform.UnitOfWork;
import java.util.function.Function;

/**
 * Writes of callers that hold the tenant's head from the beginning. So the database lets one of a
 * tenant's go on at a time, and the others wait without a connection.
 */
public final class CallerWrites {
  private final UnitOfWork work;
  private final Turns turns = new Turns();

  public CallerWrites(UnitOfWork work) {
    this.work = work;
  }

  /** Does what a request asks for, once; see {@link UnitOfWork#write}. */
  public <A extends Message> A write(
      Message request, Parser<A> answers, Function<Transaction, A> writing) {
    return turns.take(Caller.currentTenant().id(), () -> work.write(request, answers, writing));
  }
}
