package io.rapport.demo;

import io.grpc.netty.shaded.io.netty.util.internal.logging.InternalLoggerFactory;
import io.grpc.netty.shaded.io.netty.util.internal.logging.JdkLoggerFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Tells a story on real data, against a server that it starts itself. */
@Command(
    name = "demo",
    description = "Tells a story on real data, against a server that it starts itself.",
    mixinStandardHelpOptions = true)
public final class Demo implements Callable<Integer> {
  private enum Story {
    learning,
    search
  }

  @Parameters(paramLabel = "NAME", description = "Which story: ${COMPLETION-CANDIDATES}.")
  private Story story = Story.learning;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      description = "The real events, NDJSON, plain or gzip (default: ${DEFAULT-VALUE}).",
      defaultValue = "../shared/data/engineering-events.ndjson.gz")
  private Path data = Path.of("");

  private Demo() {}

  /** Runs the command and exits. */
  public static void main(String[] args) {
    InternalLoggerFactory.setDefaultFactory(JdkLoggerFactory.INSTANCE);
    System.exit(new CommandLine(new Demo()).execute(args));
  }

  @Override
  public Integer call() throws Exception {
    if (!Files.isRegularFile(data)) {
      System.err.println("demo: no such file: " + data);
      return CommandLine.ExitCode.USAGE;
    }
    try (DemoServer server = DemoServer.start()) {
      switch (story) {
        case learning -> new LearningDemo(server, data).tell();
        case search -> new SearchDemo(server, data).tell();
      }
    }
    return CommandLine.ExitCode.OK;
  }
}
