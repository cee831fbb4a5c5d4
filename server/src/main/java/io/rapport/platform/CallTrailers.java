package io.rapport.platform;

import io.grpc.Metadata;
import org.jspecify.annotations.Nullable;

/** What the trailers of a call will say beside its status. */
public final class CallTrailers {
  /** The position of what the call wrote, or read. */
  static final Metadata.Key<String> POSITION = key("rapport-position");

  /** That the answer is the one that was given before to the same request. */
  static final Metadata.Key<String> REPLAYED = key("rapport-replayed");

  private volatile @Nullable String position;
  private volatile boolean replayed;

  /** Those of the call that this thread works for; of none, if it works for itself. */
  public static CallTrailers current() {
    CallInfo call = CallInfo.current();
    return call == null ? new CallTrailers() : call.trailers();
  }

  /** A text of {@link Positions}. */
  public void position(String text) {
    position = text;
  }

  void replayed() {
    replayed = true;
  }

  void addTo(Metadata trailers) {
    String at = position;
    if (at != null) {
      trailers.put(POSITION, at);
    }
    if (replayed) {
      trailers.put(REPLAYED, "true");
    }
  }

  static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}
