package io.rapport.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.Queue;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One call of a watch; a watch has one after another. */
final class WatchConnection {
  /** Messages that are on their way while one is dealt with. */
  private static final int AHEAD = 2;

  private final Runnable more;
  private final Runnable cancel;

  private WatchConnection(Runnable more, Runnable cancel) {
    this.more = more;
    this.cancel = cancel;
  }

  /** What a call has told: a batch, or its end; neither: that the watch is closed. */
  record Signal<T>(
      @Nullable WatchConnection from,
      @Nullable WatchBatch<T> batch,
      @Nullable RapportException end) {}

  /** Opens calls of one method. */
  record Opener<Q, A>(Channel channel, MethodDescriptor<Q, A> method, Runnable resetBackoff) {
    <T> WatchConnection open(
        Q request, Function<A, WatchBatch<T>> reading, Queue<Signal<T>> signals) {
      ClientCall<Q, A> call = channel.newCall(method, CallOptions.DEFAULT);
      WatchConnection connection =
          new WatchConnection(
              () -> call.request(1), () -> call.cancel("The watch was closed.", null));
      call.start(listener(connection, reading, signals), new Metadata());
      call.sendMessage(request);
      call.halfClose();
      call.request(AHEAD);
      return connection;
    }

    private static <A, T> ClientCall.Listener<A> listener(
        WatchConnection connection, Function<A, WatchBatch<T>> reading, Queue<Signal<T>> signals) {
      return new ClientCall.Listener<>() {
        @Override
        public void onMessage(A message) {
          signals.add(new Signal<>(connection, reading.apply(message), null));
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
          RapportException why =
              status.isOk()
                  ? new UnavailableException(
                      ErrorDetails.local(Status.Code.UNAVAILABLE, "The service ended the stream."),
                      null)
                  : RapportException.of(status.asRuntimeException(trailers));
          signals.add(new Signal<>(connection, null, why));
        }
      };
    }
  }

  /** Lets a further message come. */
  void more() {
    more.run();
  }

  void cancel() {
    cancel.run();
  }
}
