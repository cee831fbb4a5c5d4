package io.rapport.server;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallExecutorSupplier;
import io.rapport.platform.Callers;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;

/**
 * Which thread works for a call: the event loop itself if its handler never blocks and its caller
 * is known, else a virtual thread of its own.
 */
final class CallExecutors implements ServerCallExecutorSupplier {
  private final Executor virtualThreads = Executors.newVirtualThreadPerTaskExecutor();
  private final Set<String> neverBlock;
  private final Callers callers;

  /**
   * @param neverBlock full names of the methods whose handlers never block
   */
  CallExecutors(Set<String> neverBlock, Callers callers) {
    this.neverBlock = neverBlock;
    this.callers = callers;
  }

  @Override
  public <Q, R> Executor getExecutor(ServerCall<Q, R> call, Metadata headers) {
    boolean never = neverBlock.contains(call.getMethodDescriptor().getFullMethodName());
    return never && callers.knows(headers) ? Runnable::run : virtualThreads;
  }
}
