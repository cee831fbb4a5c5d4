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
import java.math.BigDecimal;
import java.time.Duration;
import java.util.function.Consumer;

/** Asks what each call costs, and tells a listener. */
final class CostReader implements ClientInterceptor {
  private static final Metadata.Key<String> ASKED = key("rapport-cost");
  private static final Metadata.Key<String> DATABASE_MS = key("rapport-cost-db-ms");
  private static final Metadata.Key<String> STATEMENTS = key("rapport-cost-statements");
  private static final Metadata.Key<String> ROWS = key("rapport-cost-rows");
  private static final Metadata.Key<String> WAIT_MS = key("rapport-cost-wait-ms");
  private static final int DIGITS_TO_NANOS = 6;

  private final Consumer<CallCost> listener;

  CostReader(Consumer<CallCost> listener) {
    this.listener = listener;
  }

  @Override
  public <Q, A> ClientCall<Q, A> interceptCall(
      MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void start(Listener<A> answers, Metadata headers) {
        headers.put(ASKED, "true");
        super.start(new Costed<>(answers, method.getFullMethodName()), headers);
      }
    };
  }

  private final class Costed<A> extends SimpleForwardingClientCallListener<A> {
    private final String method;

    private Costed(ClientCall.Listener<A> listener, String method) {
      super(listener);
      this.method = method;
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (trailers.containsKey(STATEMENTS)) {
        listener.accept(cost(method, trailers));
      }
      super.onClose(status, trailers);
    }
  }

  private static CallCost cost(String method, Metadata trailers) {
    return new CallCost(
        method,
        time(trailers, DATABASE_MS),
        number(trailers, STATEMENTS).longValue(),
        number(trailers, ROWS).longValue(),
        time(trailers, WAIT_MS));
  }

  private static Duration time(Metadata trailers, Metadata.Key<String> key) {
    return Duration.ofNanos(number(trailers, key).scaleByPowerOfTen(DIGITS_TO_NANOS).longValue());
  }

  private static BigDecimal number(Metadata trailers, Metadata.Key<String> key) {
    String text = trailers.get(key);
    return text == null ? BigDecimal.ZERO : new BigDecimal(text);
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}
