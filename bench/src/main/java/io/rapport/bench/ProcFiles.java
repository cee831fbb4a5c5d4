package io.rapport.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads Linux's /proc; elsewhere everything counts as nothing. */
final class ProcFiles {
  private static final double TICKS_PER_SECOND = 100;
  private static final int USER_TIME = 11;
  private static final int CHILDREN_USER_TIME = 13;
  private static final int STEAL = 8;
  private static final int GUEST = 9;
  private static final Pattern RESIDENT = Pattern.compile("VmRSS:\\s+(\\d+) kB");
  private static final Pattern NUMBER_AT_END = Pattern.compile("[-#]*\\d*$");

  private final Path root;

  ProcFiles(Path root) {
    this.root = root;
  }

  /** The processors' time of a process so far, in seconds. */
  double cpu(long pid) {
    return seconds(pid + "/stat", USER_TIME);
  }

  /** The same of a process, its children, and those it has had. */
  double cpuOfTree(long pid) {
    double children =
        ProcessHandle.of(pid).stream()
            .flatMap(ProcessHandle::children)
            .mapToDouble(child -> cpu(child.pid()))
            .sum();
    return cpu(pid) + seconds(pid + "/stat", CHILDREN_USER_TIME) + children;
  }

  /** The same of a process's threads, those of one pool together. */
  Map<String, Double> cpuOfThreads(long pid) {
    Map<String, Double> groups = new TreeMap<>();
    Path tasks = root.resolve(pid + "/task");
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(tasks)) {
      for (Path thread : threads) {
        String stat = read(root.relativize(thread) + "/stat");
        if (!stat.isEmpty()) {
          String name = stat.substring(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
          groups.merge(
              NUMBER_AT_END.matcher(name).replaceAll(""), time(stat, USER_TIME), Double::sum);
        }
      }
    } catch (IOException absent) {
      return groups;
    }
    return groups;
  }

  /** What was stolen of this machine's time so far, and all time, in seconds. */
  double[] stolenAndAll() {
    String stat = read("stat");
    if (stat.isEmpty()) {
      return new double[] {0, 0};
    }
    List<String> fields = List.of(stat.substring(0, stat.indexOf('\n')).split(" +"));
    double all =
        fields.subList(1, Math.min(GUEST, fields.size())).stream()
            .mapToDouble(Double::parseDouble)
            .sum();
    double stolen = fields.size() > STEAL ? Double.parseDouble(fields.get(STEAL)) : 0;
    return new double[] {stolen / TICKS_PER_SECOND, all / TICKS_PER_SECOND};
  }

  /** The memory of a process that is in RAM, in MB. */
  double residentMegabytes(long pid) {
    Matcher matcher = RESIDENT.matcher(read(pid + "/status"));
    return matcher.find() ? Double.parseDouble(matcher.group(1)) * 1024 / 1e6 : 0;
  }

  private double seconds(String file, int field) {
    String stat = read(file);
    return stat.isEmpty() ? 0 : time(stat, field);
  }

  /** User and system time, which stand side by side; fields count from the state on. */
  private static double time(String stat, int field) {
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    return (Double.parseDouble(fields[field]) + Double.parseDouble(fields[field + 1]))
        / TICKS_PER_SECOND;
  }

  /** Empty if the process or thread is gone. */
  private String read(String file) {
    try {
      return Files.readString(root.resolve(file));
    } catch (IOException | UncheckedIOException gone) {
      return "";
    }
  }
}
