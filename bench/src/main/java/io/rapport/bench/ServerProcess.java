package io.rapport.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The service in a process of its own, started as {@code bin/serve} starts it. */
public final class ServerProcess implements AutoCloseable {
  private static final String MAIN = "io.rapport.server.Main";
  private static final String SERVING = "rapport: serving on port ";
  private static final String PREFIX = "RAPPORT_";

  /** What {@code bin/serve} passes on to java; without it, java's own defaults. */
  private static final String JAVA_OPTIONS = "RAPPORT_JAVA_OPTIONS";

  /** The class path that the server is started with, if not this process's. */
  private static final String CLASS_PATH = "rapport.server.classpath";

  /** Where java keeps what it knows of the server's classes. */
  private static final String CACHE = "rapport.server.cache";

  private final Child child;
  private final int port;

  private ServerProcess(Child child, int port) {
    this.child = child;
    this.port = port;
  }

  /** Starts the service and waits until it serves. What it logs goes to a file. */
  static ServerProcess start(Map<String, String> environment, Path log) throws IOException {
    return start(environment, List.of(), log);
  }

  /** The same with more options for its JVM. */
  public static ServerProcess start(Map<String, String> environment, List<String> options, Path log)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command(options));
    builder.environment().keySet().removeIf(name -> name.startsWith(PREFIX));
    builder.environment().putAll(environment);
    builder.redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
    Child child = Child.start(builder);
    try {
      return new ServerProcess(child, awaitPort(child, log));
    } catch (IOException failure) {
      child.close();
      throw failure;
    }
  }

  private static List<String> command(List<String> options) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED"); // as bin/serve: a cache is for one manner
    command.addAll(javaOptions());
    String cache = System.getProperty(CACHE);
    if (cache != null && Files.exists(Path.of(cache))) {
      command.add("-XX:AOTCache=" + cache);
    }
    command.addAll(options);
    command.addAll(
        List.of("-cp", System.getProperty(CLASS_PATH, System.getProperty("java.class.path"))));
    command.add(MAIN);
    return command;
  }

  static List<String> javaOptions() {
    String options = System.getenv().getOrDefault(JAVA_OPTIONS, "").strip();
    return options.isEmpty() ? List.of() : List.of(options.split("\\s+"));
  }

  private static int awaitPort(Child child, Path log) throws IOException {
    BufferedReader output = child.process().inputReader(StandardCharsets.UTF_8);
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      if (line.startsWith(SERVING)) {
        return Integer.parseInt(line.substring(SERVING.length()).strip());
      }
    }
    throw new IOException("the server didn't start: " + Files.readString(log));
  }

  public int port() {
    return port;
  }

  public long pid() {
    return child.process().pid();
  }

  /** Ends it at once, as a crash does. */
  public void kill() {
    child.process().destroyForcibly();
    child.process().onExit().join();
  }

  /** Whether it still runs. */
  public boolean isAlive() {
    return child.process().isAlive();
  }

  /** Starts a flight recording in the server. */
  void startRecording() throws IOException {
    jcmd("JFR.start", "name=bench", "settings=profile");
  }

  /** Ends it and writes it to a file. */
  void stopRecording(Path file) throws IOException {
    jcmd("JFR.stop", "name=bench", "filename=" + file.toAbsolutePath());
  }

  private void jcmd(String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "jcmd").toString());
    command.add(String.valueOf(pid()));
    command.addAll(List.of(arguments));
    try (Child jcmd = Child.start(new ProcessBuilder(command).redirectErrorStream(true))) {
      String output =
          new String(jcmd.process().getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (jcmd.process().waitFor() != 0) {
        throw new IOException("jcmd failed: " + output);
      }
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", stop);
    }
  }

  @Override
  public void close() {
    child.close();
  }
}
