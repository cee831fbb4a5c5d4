package io.rapport.client;

import io.grpc.Status;
import io.rapport.platform.v1.ErrorReason;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A call that failed. The subclass says what a caller can do about it, {@link #reason()} exactly
 * why.
 */
public abstract sealed class RapportException extends RuntimeException
    permits AbortedException,
        AlreadyExistsException,
        BusyException,
        CancelledException,
        CursorExpiredException,
        DataLossException,
        DeadlineExceededException,
        FailedPreconditionException,
        IngestFailedException,
        InternalException,
        InvalidArgumentException,
        NotFoundException,
        PermissionDeniedException,
        ResourceExhaustedException,
        UnauthenticatedException,
        UnavailableException,
        UnimplementedException,
        UnknownOutcomeException {
  private static final long serialVersionUID = 1L;

  /** How a call can end without an answer of the service, so that a write's outcome is open. */
  private static final Set<Status.Code> CUT_SHORT =
      EnumSet.of(
          Status.Code.UNAVAILABLE,
          Status.Code.DEADLINE_EXCEEDED,
          Status.Code.CANCELLED,
          Status.Code.INTERNAL,
          Status.Code.UNKNOWN);

  private final transient ErrorDetails details;

  RapportException(ErrorDetails details, @Nullable Throwable cause) {
    super(text(details), cause);
    this.details = details;
  }

  /**
   * The exception that a status stands for, such as the {@code error} of an {@code EventOutcome}.
   *
   * @param status a status other than OK
   */
  public static RapportException of(com.google.rpc.Status status) {
    return of(ErrorDetails.of(status), null);
  }

  static RapportException of(Throwable failure) {
    return failure instanceof RapportException known
        ? known
        : of(ErrorDetails.of(failure), failure);
  }

  /** The exception of a write that had left this machine when it failed. */
  static RapportException ofSentWrite(Throwable failure) {
    ErrorDetails details = ErrorDetails.of(failure);
    boolean open = !details.fromService() && CUT_SHORT.contains(details.code());
    return open ? new UnknownOutcomeException(details, failure) : of(details, failure);
  }

  private static RapportException of(ErrorDetails details, @Nullable Throwable cause) {
    return switch (details.code()) {
      case INVALID_ARGUMENT -> new InvalidArgumentException(details, cause);
      case OUT_OF_RANGE -> outOfRange(details, cause);
      case NOT_FOUND -> new NotFoundException(details, cause);
      case ALREADY_EXISTS -> exists(details, cause);
      case FAILED_PRECONDITION -> new FailedPreconditionException(details, cause);
      case ABORTED -> new AbortedException(details, cause);
      case UNAUTHENTICATED -> new UnauthenticatedException(details, cause);
      case PERMISSION_DENIED -> new PermissionDeniedException(details, cause);
      case RESOURCE_EXHAUSTED -> new ResourceExhaustedException(details, cause);
      case UNAVAILABLE -> new UnavailableException(details, cause);
      case DEADLINE_EXCEEDED -> new DeadlineExceededException(details, cause);
      case CANCELLED -> new CancelledException(details, cause);
      case UNIMPLEMENTED -> new UnimplementedException(details, cause);
      case DATA_LOSS -> new DataLossException(details, cause);
      case UNKNOWN -> unknown(details, cause);
      case OK, INTERNAL -> new InternalException(details, cause);
    };
  }

  private static RapportException exists(ErrorDetails details, @Nullable Throwable cause) {
    return details.reason().equals(ErrorReason.EVENT_CONFLICT.name())
        ? new EventConflictException(details, cause)
        : new AlreadyExistsException(details, cause);
  }

  private static RapportException outOfRange(ErrorDetails details, @Nullable Throwable cause) {
    return details.reason().equals(ErrorReason.CURSOR_EXPIRED.name())
        ? new CursorExpiredException(details, cause)
        : new InvalidArgumentException(details, cause);
  }

  private static RapportException unknown(ErrorDetails details, @Nullable Throwable cause) {
    return details.reason().equals(ErrorReason.COMMIT_OUTCOME_UNKNOWN.name())
        ? new UnknownOutcomeException(details, cause)
        : new InternalException(details, cause);
  }

  private static String text(ErrorDetails details) {
    String reason = details.fromService() ? " (" + details.reason() + ")" : "";
    return details.code() + reason + ": " + details.message();
  }

  ErrorDetails details() {
    return details;
  }

  /** The gRPC code of the failure. */
  public Status.Code code() {
    return details.code();
  }

  /**
   * Why the call failed. {@code UNRECOGNIZED} for a reason that this SDK doesn't know, see {@link
   * #rawReason()}; {@code ERROR_REASON_UNSPECIFIED} if the service gave none, as when it was not
   * reached.
   */
  public ErrorReason reason() {
    if (!details.fromService()) {
      return ErrorReason.ERROR_REASON_UNSPECIFIED;
    }
    try {
      return ErrorReason.valueOf(details.reason());
    } catch (IllegalArgumentException newer) {
      return ErrorReason.UNRECOGNIZED;
    }
  }

  /** The reason as the service sent it; empty if it gave none. */
  public String rawReason() {
    return details.reason();
  }

  /** What varies in the message, by name; empty if there is nothing. */
  public Map<String, String> metadata() {
    return details.metadata();
  }

  /** The fields of the request that break a rule; empty if it is not about fields. */
  public List<FieldViolation> fieldViolations() {
    return details.violations();
  }

  /** How long to wait before the next try, if the service said so. */
  public Optional<Duration> retryDelay() {
    return Optional.ofNullable(details.retryDelay());
  }
}
