package io.rapport.platform;

import io.grpc.Status.Code;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes a line for each slow call and, if that is wanted, for each call. */
public final class CallLog {
  private static final Logger log = LoggerFactory.getLogger(CallLog.class);

  private final boolean all;
  private final long slowNanos;

  /**
   * @param all whether calls that are not slow have a line too
   * @param slow how long a unary call takes that has a line in any case
   */
  public CallLog(boolean all, Duration slow) {
    this.all = all;
    this.slowNanos = slow.toNanos();
  }

  void ended(CallInfo call, boolean stream, Code code, long nanos) {
    boolean slow = !stream && nanos >= slowNanos;
    if (slow || all) {
      call.describe(slow ? log.atWarn() : log.atInfo())
          .addKeyValue("code", code)
          .addKeyValue("ms", TimeUnit.NANOSECONDS.toMillis(nanos))
          .log(slow ? "slow call" : "call");
    }
  }
}
