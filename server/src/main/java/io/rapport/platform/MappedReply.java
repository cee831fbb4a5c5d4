package io.rapport.platform;

import java.util.function.Function;

/** Takes an answer from which another follows. */
public record MappedReply<A, B>(Reply<B> reply, Function<A, B> map) implements Reply<A> {
  @Override
  public void send(A answer) {
    B mapped;
    try {
      mapped = map.apply(answer);
    } catch (RuntimeException | Error e) {
      reply.fail(e);
      return;
    }
    reply.send(mapped);
  }

  @Override
  public void fail(Throwable failure) {
    reply.fail(failure);
  }
}
