package io.rapport.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Lets no call read less than what calls before it have written: remembers the highest position
 * that the service has told, and asks for it.
 */
final class Freshness implements ClientInterceptor {
  private static final Metadata.Key<String> POSITION =
      Metadata.Key.of("rapport-position", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> AT_LEAST =
      Metadata.Key.of("rapport-at-least", Metadata.ASCII_STRING_MARSHALLER);

  private final AtomicReference<String> highest = new AtomicReference<>("");

  /** The highest position told so far; empty if there was none. */
  String position() {
    return highest.get();
  }

  /** Asks for what another client has written as well. */
  void atLeast(String position) {
    highest.accumulateAndGet(position, Freshness::later);
  }

  @Override
  public <Q, A> ClientCall<Q, A> interceptCall(
      MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void start(Listener<A> listener, Metadata headers) {
        String position = highest.get();
        if (!position.isEmpty()) {
          headers.put(AT_LEAST, position);
        }
        super.start(new Positioned<>(listener), headers);
      }
    };
  }

  private final class Positioned<A> extends SimpleForwardingClientCallListener<A> {
    private Positioned(ClientCall.Listener<A> listener) {
      super(listener);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      String position = trailers.get(POSITION);
      if (position != null) {
        atLeast(position);
      }
      super.onClose(status, trailers);
    }
  }

  /** Positions of a tenant are ordered as texts. */
  private static String later(String one, String other) {
    return one.compareTo(other) >= 0 ? one : other;
  }
}
