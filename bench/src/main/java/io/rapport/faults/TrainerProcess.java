package io.rapport.faults;

import io.rapport.bench.Child;
import io.rapport.client.RapportClient;
import io.rapport.client.TrainingJob;
import io.rapport.client.TrainingResult;
import io.rapport.client.TrainingWorker;
import io.rapport.client.WorkOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** A worker of the SDK in a process of its own. It trains until it is told to be done, once. */
final class TrainerProcess implements AutoCloseable {
  private static final String CLAIMED = "claimed ";
  private static final String TOKEN = "TRAINER_TOKEN";

  private final Child child;
  private final BufferedReader output;

  private TrainerProcess(Child child) {
    this.child = child;
    this.output = child.process().inputReader(StandardCharsets.UTF_8);
  }

  static TrainerProcess start(int port, String token, Duration lease) throws IOException {
    ProcessBuilder command =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            TrainerProcess.class.getName(),
            "127.0.0.1:" + port,
            lease.toString());
    command.environment().put(TOKEN, token);
    command.redirectError(ProcessBuilder.Redirect.DISCARD);
    return new TrainerProcess(Child.start(command));
  }

  /** Waits until it has a training, and says which. */
  String claimed() throws IOException {
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      if (line.startsWith(CLAIMED)) {
        return line.substring(CLAIMED.length());
      }
    }
    throw new IOException("the worker ended without a training");
  }

  /** Ends it at once, as a crash does. */
  void kill() {
    child.process().destroyForcibly().onExit().join();
  }

  /** Halts it: it neither works nor gives a sign of life. */
  void freeze() throws Exception {
    signal("STOP");
  }

  /** Lets it go on, and waits until it has told the service that its training is done. */
  void thawAndFinish() throws Exception {
    signal("CONT");
    child.process().getOutputStream().close();
    child.process().onExit().join();
  }

  private void signal(String name) throws Exception {
    String pid = String.valueOf(child.process().pid());
    if (new ProcessBuilder("kill", "-" + name, pid).inheritIO().start().waitFor() != 0) {
      throw new IOException("no signal reaches the worker");
    }
  }

  @Override
  public void close() {
    child.process().destroyForcibly();
    child.close();
  }

  /** The process: where the service is, and how long a lease lasts. */
  public static void main(String[] args) throws Exception {
    CountDownLatch trained = new CountDownLatch(1);
    WorkOptions options =
        WorkOptions.defaults().withWorker("mortal").withLeaseTime(Duration.parse(args[1]));
    try (RapportClient client =
        RapportClient.builder(args[0]).token(System.getenv(TOKEN)).build()) {
      TrainingWorker worker =
          client.learning().work(List.of("goal"), job -> train(job, trained), options);
      trained.await();
      worker.close(); // which waits until the service has answered
    }
  }

  private static TrainingResult train(TrainingJob job, CountDownLatch trained) throws IOException {
    System.out.println(CLAIMED + job.event().getId());
    System.in.transferTo(OutputStream.nullOutputStream()); // until whoever started it closes it
    trained.countDown();
    return TrainingResult.of("mortal");
  }
}
