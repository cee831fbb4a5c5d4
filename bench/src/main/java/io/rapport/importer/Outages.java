package io.rapport.importer;

import io.grpc.Status;
import io.rapport.client.EventWriter;
import io.rapport.client.IngestSummary;
import io.rapport.client.RapportClient;
import io.rapport.client.RapportException;
import java.io.PrintStream;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Says, once for each time, that a writer doesn't get on because the service isn't there. */
final class Outages implements AutoCloseable {
  private static final int LOOK_SECONDS = 3;

  /** What Netty puts before the operating system's own words. */
  private static final String SYSTEM_CALL = "^\\w+\\(\\.\\.\\) failed with error\\(-?\\d+\\): ";

  private final RapportClient client;
  private final EventWriter writer;
  private final String target;
  private final PrintStream err;
  private final ScheduledExecutorService looks =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("outages").factory());
  private long decided;
  private boolean told;

  Outages(RapportClient client, EventWriter writer, String target, PrintStream err) {
    this.client = client;
    this.writer = writer;
    this.target = target;
    this.err = err;
  }

  void watch() {
    var _ = looks.scheduleWithFixedDelay(this::look, LOOK_SECONDS, LOOK_SECONDS, TimeUnit.SECONDS);
  }

  private void look() {
    IngestSummary summary = writer.summary();
    long before = decided;
    decided = summary.written() - summary.undecided();
    boolean stuck = summary.undecided() > 0 && decided == before;
    if (stuck && !told) {
      tell();
    } else if (!stuck && told) {
      told = false;
      err.println("import: going on");
    }
  }

  private void tell() {
    try {
      if (client.isServing()) {
        return;
      }
      err.println("import: " + target + " says that it isn't serving; still trying");
    } catch (RapportException why) {
      if (looks.isShutdown()) {
        return;
      }
      err.println("import: " + why(why, target) + "; still trying");
    }
    told = true;
  }

  /** What a failure says; of one on the way there, what the connection says. */
  static String why(RapportException failure, String target) {
    boolean onTheWay = failure.code() == Status.Code.UNAVAILABLE && failure.rawReason().isEmpty();
    return onTheWay
        ? "can't reach " + target + ": " + deepest(failure).replaceFirst(SYSTEM_CALL, "")
        : failure.getMessage() + "";
  }

  private static String deepest(Throwable failure) {
    String message = failure.getMessage();
    Throwable cause = failure.getCause();
    String below = cause == null ? "" : deepest(cause);
    return below.isEmpty() && message != null ? message : below;
  }

  @Override
  public void close() {
    looks.shutdownNow();
  }
}
