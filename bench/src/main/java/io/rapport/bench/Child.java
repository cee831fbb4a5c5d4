package io.rapport.bench;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** A process that this one starts and ends, whatever ends this one first. */
public final class Child implements AutoCloseable {
  /** A server that learns its classes writes them down when it ends. */
  private static final int PATIENCE_SECONDS = 120;

  private final Process process;
  private final Thread hook;

  private Child(Process process) {
    this.process = process;
    this.hook = new Thread(() -> end(process), "end-child");
  }

  public static Child start(ProcessBuilder command) throws IOException {
    Child child = new Child(command.start());
    Runtime.getRuntime().addShutdownHook(child.hook);
    return child;
  }

  public Process process() {
    return process;
  }

  @Override
  public void close() {
    end(process);
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException ending) {
      return; // the hook is running already
    }
  }

  private static void end(Process process) {
    process.destroy();
    try {
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException stop) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
