package io.rapport.importer;

import static java.util.stream.Collectors.joining;

import io.grpc.netty.shaded.io.netty.util.internal.logging.InternalLoggerFactory;
import io.grpc.netty.shaded.io.netty.util.internal.logging.JdkLoggerFactory;
import io.rapport.client.EventWriter;
import io.rapport.client.IngestFailedException;
import io.rapport.client.IngestOptions;
import io.rapport.client.IngestSummary;
import io.rapport.client.RapportClient;
import io.rapport.client.RapportException;
import io.rapport.db.CommandLines;
import io.rapport.tracking.v1.EventOutcome;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

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
  @Spec private @Nullable CommandSpec spec;

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
      names = "--trust",
      paramLabel = "FILE",
      description = "TLS, also to this machine, trusting these certificates (PEM) only.")
  private @Nullable Path trusted;

  @Option(
      names = "--patience",
      paramLabel = "SECONDS",
      defaultValue = "60",
      description =
          "How long to try to reach the service without getting on (default: ${DEFAULT-VALUE}).")
  private int patience;

  @Option(
      names = "--provider",
      defaultValue = "import",
      description = "Who calls the users by the ids in the file (default: ${DEFAULT-VALUE}).")
  private String provider = "";

  @Parameters(paramLabel = "FILE", description = "The file; - for standard input.")
  private String file = "";

  private final PrintStream out;
  private final PrintStream err;
  private final LineNumbers lineNumbers = new LineNumbers();
  private final AtomicLong redacted = new AtomicLong();
  private long reached;
  private long read;
  private long broken;
  private boolean stopped;

  private Import(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  /** Runs the command and exits. */
  public static void main(String[] args) {
    // Standard output belongs to the result, whatever logging the class path brings along.
    InternalLoggerFactory.setDefaultFactory(JdkLoggerFactory.INSTANCE);
    System.exit(commandLine(System.out, System.err).execute(args));
  }

  static CommandLine commandLine(PrintStream out, PrintStream err) {
    return CommandLines.of("import", new Import(out, err));
  }

  @Override
  public Integer call() throws IOException {
    check();
    long start = System.nanoTime();
    IngestSummary summary;
    try (RapportClient client = connect();
        Source source = Source.open(file);
        Progress progress = Progress.of(source)) {
      summary = copy(client, source, progress);
    }
    return report(summary, (System.nanoTime() - start) / 1e9);
  }

  private void check() {
    if (!file.equals(Source.STANDARD_INPUT)) {
      requireFile(Path.of(file));
    }
    requireFile(tokenFile);
    requireFile(trusted);
    require(trusted == null || !plaintext, "--trust is for TLS, which --plaintext is not");
    require(patience >= 0, "--patience must be 0 or more: " + patience);
  }

  private void requireFile(@Nullable Path path) {
    require(path == null || Files.exists(path), "no such file: " + path);
    require(path == null || !Files.isDirectory(path), "a directory, not a file: " + path);
    require(path == null || Files.isReadable(path), "can't be read: " + path);
  }

  private void require(boolean holds, String message) {
    if (!holds && spec != null) {
      throw new ParameterException(spec.commandLine(), message);
    }
  }

  private RapportClient connect() throws IOException {
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
    if (trusted != null) {
      trust(builder, trusted);
    }
    return builder.build();
  }

  private static void trust(RapportClient.Builder builder, Path certificates) throws IOException {
    try (InputStream pem = Files.newInputStream(certificates)) {
      CertificateFactory.getInstance("X.509").generateCertificate(pem);
    } catch (CertificateException e) {
      throw new IOException("no certificate in PEM: " + certificates, e);
    }
    try (InputStream pem = Files.newInputStream(certificates)) {
      builder.tls(pem);
    }
  }

  private IngestSummary copy(RapportClient client, Source source, Progress progress) {
    IngestOptions options =
        IngestOptions.defaults()
            .withMaxOutage(Duration.ofSeconds(patience))
            .withExceptions(this::tell);
    EventWriter writer = client.events().ingest(options);
    try (Outages outages = new Outages(client, writer, target, err);
        writer) {
      outages.watch();
      copy(source, writer, progress);
    } catch (IngestFailedException failure) {
      stopped = true;
      err.printf(
          "import: stopped near line %d, %d events undecided: %s%n",
          reached, failure.undecided().size(), Outages.why(failure, target));
    }
    return writer.summary();
  }

  private void copy(Source source, EventWriter writer, Progress progress) {
    EventLines events = new EventLines(provider);
    try (Lines lines = source.lines()) {
      for (Lines.Line line = lines.next(); line != null; line = lines.next()) {
        reached = lines.number();
        if (!line.blank()) {
          copy(events, line, writer);
        }
        progress.step();
      }
    } catch (IOException damaged) {
      stopped = true;
      err.printf(
          "import: %s: %s; read up to line %d, in the first %d bytes of the file%n",
          source.name(), why(damaged), reached, source.position());
    }
  }

  private static String why(IOException damaged) {
    return (damaged instanceof EOFException ? "cut off: " : "can't be read: ")
        + damaged.getMessage();
  }

  private void copy(EventLines events, Lines.Line line, EventWriter writer) {
    read++;
    try {
      var event = events.event(line);
      lineNumbers.note(read - 1 - broken, reached);
      writer.write(event);
    } catch (BrokenLineException why) {
      broken++;
      err.printf("import: line %d: %s%n", reached, why.getMessage());
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
      case QUARANTINED ->
          err.printf(
              "import: line %d: quarantined: %s%n",
              lineNumbers.line(position),
              outcome.getViolationsList().stream()
                  .map(it -> it.getPath() + " " + it.getDescription())
                  .collect(joining(", ")));
      case RECORDED -> redacted.incrementAndGet();
      case DUPLICATE, RESULT_UNSPECIFIED, UNRECOGNIZED -> {}
    }
  }

  private int report(IngestSummary summary, double seconds) {
    long rejected = broken + summary.conflict() + summary.refused();
    if (redacted.get() > 0) {
      err.printf("import: secrets or long texts were taken out of %d events%n", redacted.get());
    }
    out.printf(
        Locale.ROOT,
        "{\"read\":%d,\"accepted\":%d,\"duplicate\":%d,\"quarantined\":%d,\"rejected\":%d,"
            + "\"seconds\":%.3f}%n",
        read,
        summary.recorded(),
        summary.duplicate(),
        summary.quarantined(),
        rejected,
        seconds);
    return rejected > 0 || stopped ? 1 : 0;
  }

  private static String content(Path path) {
    try {
      return Files.readString(path).strip();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }
}
