package io.rapport.platform;

import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.grpc.Context;
import io.rapport.platform.UnitOfWork.Answer;
import io.rapport.platform.UnitOfWork.Done;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A write that others may share a transaction with, and whose caller waits for the outcome. */
final class SharedWrite<C, R, A extends Message> {
  private final @Nullable RequestKey key;
  private final C call;
  private final Parser<A> answers;
  private final Function<R, A> answer;
  private final Context context = Context.current();
  private @Nullable A answered;
  private @Nullable Done<A> done;
  private @Nullable Throwable failure;

  /**
   * @param answers reads what was answered before
   */
  SharedWrite(@Nullable RequestKey key, C call, Parser<A> answers, Function<R, A> answer) {
    this.key = key;
    this.call = call;
    this.answers = answers;
    this.answer = answer;
  }

  @Nullable RequestKey key() {
    return key;
  }

  C call() {
    return call;
  }

  Parser<A> answers() {
    return answers;
  }

  /** Where its call has its deadline. */
  Context context() {
    return context;
  }

  /** Makes the answer, in the transaction. */
  void answer(R result) {
    answered = answer.apply(result);
  }

  /** What is kept for the request, if it has a name. */
  List<Answer> kept() {
    return key == null || answered == null ? List.of() : List.of(new Answer(key, answered));
  }

  /** Says that it is committed, with the answer that was made. */
  void endAnswered(long position) {
    if (answered == null) {
      throw new IllegalStateException("it has no answer");
    }
    end(new Done<>(answered, position, false));
  }

  synchronized void end(Done<A> ended) {
    done = ended;
    notifyAll();
  }

  /** Says why it can't be done, if it isn't done. */
  synchronized void fail(Throwable thrown) {
    if (!isEnded()) {
      failure = thrown;
      notifyAll();
    }
  }

  synchronized boolean isEnded() {
    return done != null || failure != null;
  }

  /** Waits until it is ended; what it came to. */
  synchronized Done<A> await() {
    try {
      while (!isEnded()) {
        wait();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw Failures.unknownOutcome();
    }
    if (failure instanceof Error error) {
      throw error;
    }
    if (failure instanceof RuntimeException e) {
      throw e;
    }
    if (done == null) {
      throw new IllegalStateException("it has not ended", failure);
    }
    return done;
  }
}
