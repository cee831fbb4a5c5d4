package io.rapport.importer;

import io.grpc.netty.shaded.io.netty.util.internal.logging.InternalLoggerFactory;
import io.grpc.netty.shaded.io.netty.util.internal.logging.JdkLoggerFactory;
import io.rapport.client.EventWriter;
import io.rapport.client.IngestFailedException;
import io.rapport.client.IngestOptions;
import io.rapport.client.IngestSummary;
import io.rapport.client.RapportClient;
import io.rapport.client.RapportException;
import io.rapport.tracking.v1.EventOutcome;
import java.io.Console;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Streams a file of events into the service. Exit code 0: every line is in; 1: some are not, see
 * standard error; 2: the command was wrong. Running it again is safe: what is in counts as
 * duplicate.
 */
@Command(
    name = "import",
    mixinStandardHelpOptions = true,
    description = {
      "Streams events into the service: one JSON object a line, plain or gzip.",
      "Fields: event_id, user, event_type, occurred_at (ISO with offset), received_at, data, text."
    })
public final class Import implements Callable<Integer> {
  @Option(
      names = "--target",
      defaultValue = "localhost:9090",
      description = "Where the service is (default: ${DEFAULT-VALUE}).")
  private String target = "";

  @Option(names = "--token", description = "Bearer token.")
  private @Nullable String token;

  @Option(names = "--token-file", description = "File with the bearer token, read for each stream.")
  private @Nullable Path tokenFile;

  @Option(names = "--plaintext", description = "No TLS, even to another machine.")
  private boolean plaintext;

  @Option(
      names = "--provider",
      defaultValue = "import",
      description = "Who calls the users by the ids in the file (default: ${DEFAULT-VALUE}).")
  private String provider = "";

  @Parameters(paramLabel = "FILE", description = "The file; - for standard input.")
  private String file = "";

  private final PrintStream err = System.err;
  private final LineNumbers lineNumbers = new LineNumbers();
  private final AtomicLong redacted = new AtomicLong();
  private final AtomicLong bytes = new AtomicLong();
  private long read;
  private long broken;
  private boolean stopped;

  private Import() {}

  /** Runs the command and exits. */
  public static void main(String[] args) {
    // Standard output belongs to the result, whatever logging the class path brings along.
    InternalLoggerFactory.setDefaultFactory(JdkLoggerFactory.INSTANCE);
    System.exit(
        new CommandLine(new Import()).setExecutionExceptionHandler(Import::say).execute(args));
  }

  private static int say(Exception failure, CommandLine command, CommandLine.ParseResult parsed) {
    boolean absent = failure instanceof NoSuchFileException;
    System.err.println("import: " + (absent ? "no such file: " : "") + failure.getMessage());
    return command.getCommandSpec().exitCodeOnExecutionException();
  }

  @Override
  public Integer call() throws IOException {
    long start = System.nanoTime();
    IngestSummary summary;
    try (RapportClient client = connect();
        InputStream input = open();
        Lines lines = Lines.of(input);
        Progress progress = Progress.of(size(), bytes)) {
      summary = copy(client, lines, progress);
    }
    return report(summary, (System.nanoTime() - start) / 1e9);
  }

  private RapportClient connect() {
    RapportClient.Builder builder = RapportClient.builder(target).userAgent("rapport-import");
    if (plaintext) {
      builder.plaintext();
    }
    if (tokenFile != null) {
      Path path = tokenFile;
      builder.token(() -> content(path));
    } else if (token != null) {
      builder.token(token);
    }
    return builder.build();
  }

  private IngestSummary copy(RapportClient client, Lines lines, Progress progress)
      throws IOException {
    EventLines events = new EventLines(provider);
    EventWriter writer =
        client.events().ingest(IngestOptions.defaults().withExceptions(this::tell));
    try (writer) {
      for (Lines.Line line = lines.next(); line != null; line = lines.next()) {
        if (!line.blank()) {
          copy(events, line, lines.number(), writer);
        }
        progress.step();
      }
    } catch (IngestFailedException failure) {
      stopped = true;
      err.printf(
          "import: stopped near line %d, %d events undecided: %s%n",
          lines.number(), failure.undecided().size(), failure.getMessage());
    }
    return writer.summary();
  }

  private void copy(EventLines events, Lines.Line line, long number, EventWriter writer) {
    read++;
    try {
      var event = events.event(line);
      lineNumbers.note(read - 1 - broken, number);
      writer.write(event);
    } catch (BrokenLineException why) {
      broken++;
      err.printf("import: line %d: %s%n", number, why.getMessage());
    }
  }

  private void tell(long position, EventOutcome outcome) {
    switch (outcome.getResult()) {
      case CONFLICT, REFUSED -> {
        String why =
            outcome.hasError()
                ? RapportException.of(outcome.getError()).getMessage()
                : outcome.getResult().name();
        err.printf("import: line %d: %s%n", lineNumbers.line(position), why);
      }
      case RECORDED -> redacted.incrementAndGet();
      case DUPLICATE, RESULT_UNSPECIFIED, UNRECOGNIZED -> {}
    }
  }

  private int report(IngestSummary summary, double seconds) {
    long rejected = broken + summary.conflict() + summary.refused();
    if (redacted.get() > 0) {
      err.printf("import: secrets or long texts were taken out of %d events%n", redacted.get());
    }
    System.out.printf(
        Locale.ROOT,
        "{\"read\":%d,\"accepted\":%d,\"duplicate\":%d,\"quarantined\":0,\"rejected\":%d,"
            + "\"seconds\":%.3f}%n",
        read,
        summary.recorded(),
        summary.duplicate(),
        rejected,
        seconds);
    return rejected > 0 || stopped ? 1 : 0;
  }

  private InputStream open() throws IOException {
    InputStream raw = file.equals("-") ? System.in : Files.newInputStream(Path.of(file));
    return new Counted(raw, bytes);
  }

  private long size() throws IOException {
    return file.equals("-") ? -1 : Files.size(Path.of(file));
  }

  private static String content(Path path) {
    try {
      return Files.readString(path).strip();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  /** Counts the bytes that are read. */
  private static final class Counted extends FilterInputStream {
    private final AtomicLong bytes;

    Counted(InputStream in, AtomicLong bytes) {
      super(in);
      this.bytes = bytes;
    }

    @Override
    public int read() throws IOException {
      int value = super.read();
      bytes.addAndGet(value < 0 ? 0 : 1);
      return value;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      int count = super.read(target, offset, length);
      bytes.addAndGet(Math.max(0, count));
      return count;
    }
  }

  /** A bar for people who watch; nothing when the output is not a terminal. */
  private record Progress(@Nullable ProgressBar bar, AtomicLong bytes) implements AutoCloseable {
    static Progress of(long size, AtomicLong bytes) {
      if (Optional.ofNullable(System.console()).filter(Console::isTerminal).isEmpty()) {
        return new Progress(null, bytes);
      }
      ProgressBarBuilder builder =
          new ProgressBarBuilder().setTaskName("import").setInitialMax(size);
      return new Progress(builder.setUnit(" KiB", 1024).build(), bytes);
    }

    void step() {
      if (bar != null) {
        bar.stepTo(bytes.get());
      }
    }

    @Override
    public void close() {
      if (bar != null) {
        bar.close();
      }
    }
  }
}
