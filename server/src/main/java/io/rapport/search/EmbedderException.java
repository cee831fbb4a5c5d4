package io.rapport.search;

import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Texts that an embedder made no vectors of. */
public final class EmbedderException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final @Nullable Duration retryAfter;
  private final Fault fault;

  private enum Fault {
    EMBEDDER,
    TEXTS,
    EITHER
  }

  private EmbedderException(String message, @Nullable Duration retryAfter, Fault fault) {
    super(message);
    this.retryAfter = retryAfter;
    this.fault = fault;
  }

  /** The embedder can't work now: it may be able to after a while, with the same texts. */
  public static EmbedderException unavailable(String message, Duration retryAfter) {
    return new EmbedderException(message, retryAfter, Fault.EMBEDDER);
  }

  /** The embedder can't work until its settings are others, such as its key. */
  public static EmbedderException broken(String message) {
    return new EmbedderException(message, null, Fault.EMBEDDER);
  }

  /** The embedder refuses one of these texts, and will again. */
  public static EmbedderException refused(String message) {
    return new EmbedderException(message, null, Fault.TEXTS);
  }

  /** The embedder can't work at all, or one of these texts makes it fail. */
  public static EmbedderException failed(String message, @Nullable Duration retryAfter) {
    return new EmbedderException(message, retryAfter, Fault.EITHER);
  }

  /** When it is worth another try; none if it isn't. */
  public @Nullable Duration retryAfter() {
    return retryAfter;
  }

  /** Whether the texts are the cause; other texts may be embedded all the same. */
  public boolean isOfTexts() {
    return fault == Fault.TEXTS;
  }

  /** Whether it can't be told if the texts are the cause. */
  public boolean isUnclear() {
    return fault == Fault.EITHER;
  }

  /** The same for a caller of the service: UNAVAILABLE if another try is worth it. */
  public ServiceException toServiceException() {
    String message = "the text can't be embedded: " + getMessage();
    return retryAfter == null
        ? ServiceException.failedPrecondition(ErrorReason.EMBEDDER_REFUSED, message)
        : ServiceException.unavailable(ErrorReason.EMBEDDER_UNAVAILABLE, message, retryAfter);
  }
}
