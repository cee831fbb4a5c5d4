package io.rapport.importer;

import java.io.Console;
import java.util.Optional;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.jspecify.annotations.Nullable;

/** A bar for people who watch; nothing when the output is not a terminal. */
record Progress(Source source, @Nullable ProgressBar bar) implements AutoCloseable {
  static Progress of(Source source) {
    if (Optional.ofNullable(System.console()).filter(Console::isTerminal).isEmpty()) {
      return new Progress(source, null);
    }
    ProgressBarBuilder builder =
        new ProgressBarBuilder().setTaskName("import").setInitialMax(source.size());
    return new Progress(source, builder.setUnit(" KiB", 1024).build());
  }

  void step() {
    if (bar != null) {
      bar.stepTo(source.position());
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
