package io.rapport.client;

import com.google.protobuf.MessageLite;
import io.grpc.MethodDescriptor;
import org.jspecify.annotations.Nullable;

/** What a writer records: how the service is told of it, and what it answers. */
interface Ingestion<E extends MessageLite, Q, A> {
  /** The RPC: a stream in which each message is answered by one. */
  MethodDescriptor<Q, A> method();

  Q request(Message<E> message);

  /** The number of the message that is answered. */
  long sequence(A answer);

  /** Counts an answer, which must tell of every item of the message exactly once. */
  Tally tally(Message<E> message, A answer);

  /** Tells the listeners of a message's items, in order. */
  void tell(Message<E> message, A answer);

  /** An answer by which the message's only item is refused. */
  A refusal(Message<E> message, com.google.rpc.@Nullable Status error);
}
