package io.rapport.platform;

import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** The threads that write for callers who wait: few, whatever the callers, and none while idle. */
public final class WriterThreads {
  private static final Duration UNUSED = Duration.ofSeconds(10);

  private WriterThreads() {}

  /**
   * @param name of what they write
   */
  public static ThreadPoolExecutor of(String name, int count) {
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(
            count,
            count,
            UNUSED.toSeconds(),
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().name(name + "-writer-", 1).daemon().factory());
    threads.allowCoreThreadTimeOut(true);
    return threads;
  }
}
