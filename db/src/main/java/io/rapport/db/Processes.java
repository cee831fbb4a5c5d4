package io.rapport.db;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A process of this machine and those that it has started. */
record Processes(List<ProcessHandle> all) {
  /** Those that live now. */
  static Processes of(long root) {
    return new Processes(
        ProcessHandle.of(root).stream()
            .flatMap(process -> Stream.concat(Stream.of(process), process.descendants()))
            .toList());
  }

  void freeze() {
    signal("STOP");
  }

  void thaw() {
    signal("CONT");
  }

  /** Ends them, and waits until they are gone. */
  void kill() {
    all.forEach(ProcessHandle::destroyForcibly);
    all.forEach(process -> process.onExit().join());
  }

  private void signal(String name) {
    String pids =
        all.stream().map(process -> String.valueOf(process.pid())).collect(Collectors.joining(" "));
    Shell.run(List.of("/bin/sh", "-c", "kill -" + name + " " + pids));
  }
}
