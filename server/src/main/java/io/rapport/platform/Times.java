package io.rapport.platform;

import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import java.time.Instant;

/** Instants as messages and as PostgreSQL holds them: in microseconds. */
public final class Times {
  private static final long MICROS_PER_SECOND = 1_000_000;
  private static final long MICROS_FROM_1970_TO_2000 = 946_684_800_000_000L;
  private static final int NANOS_PER_MICRO = 1000;
  private static final long MIN_SECONDS = Instant.parse("0001-01-01T00:00:00Z").getEpochSecond();
  private static final long MAX_SECONDS = Instant.parse("9999-12-31T23:59:59Z").getEpochSecond();
  private static final int MAX_NANOS = 999_999_999;
  private static final long MAX_SPAN_SECONDS = 315_576_000_000L;

  private Times() {}

  /** Whether the message is an instant from year 1 to 9999. */
  public static boolean isValid(Timestamp time) {
    return time.getSeconds() >= MIN_SECONDS
        && time.getSeconds() <= MAX_SECONDS
        && time.getNanos() >= 0
        && time.getNanos() <= MAX_NANOS;
  }

  /** Whether the message is a span of time as protobuf has them. */
  public static boolean isValid(Duration span) {
    return span.getSeconds() >= -MAX_SPAN_SECONDS
        && span.getSeconds() <= MAX_SPAN_SECONDS
        && span.getNanos() >= -MAX_NANOS
        && span.getNanos() <= MAX_NANOS
        && Long.signum(span.getSeconds()) * Integer.signum(span.getNanos()) >= 0;
  }

  public static long micros(Timestamp time) {
    return time.getSeconds() * MICROS_PER_SECOND + time.getNanos() / NANOS_PER_MICRO;
  }

  public static long micros(Instant time) {
    return time.getEpochSecond() * MICROS_PER_SECOND + time.getNano() / NANOS_PER_MICRO;
  }

  /** The same since 2000, as PostgreSQL sends times in binary form. */
  public static long sincePostgresEpoch(long micros) {
    return micros - MICROS_FROM_1970_TO_2000;
  }

  public static Instant instant(long micros) {
    return Instant.ofEpochSecond(
        Math.floorDiv(micros, MICROS_PER_SECOND),
        Math.floorMod(micros, MICROS_PER_SECOND) * NANOS_PER_MICRO);
  }

  public static Instant instant(Timestamp time) {
    return instant(micros(time));
  }

  public static Timestamp proto(Instant time) {
    return Timestamp.newBuilder()
        .setSeconds(time.getEpochSecond())
        .setNanos(time.getNano())
        .build();
  }

  public static Timestamp proto(long micros) {
    return proto(instant(micros));
  }
}
