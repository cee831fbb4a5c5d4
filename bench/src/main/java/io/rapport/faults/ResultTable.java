package io.rapport.faults;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The table of results in a document, between two marks; a run replaces its own rows. */
final class ResultTable {
  private static final String BEGIN = "<!-- results -->";
  private static final String END = "<!-- end of results -->";
  private static final String HEAD =
      "| Id | Test | Figures | As it should | Run |\n|---|---|---|---|---|\n";

  private ResultTable() {}

  static void write(Path document, Run run, List<Verdict> verdicts) throws IOException {
    String text = Files.readString(document);
    Files.writeString(document, replaced(text, run, verdicts, LocalDate.now(Clock.systemUTC())));
  }

  static String replaced(String text, Run run, List<Verdict> verdicts, LocalDate day) {
    int begin = text.indexOf(BEGIN);
    int end = text.indexOf(END);
    if (begin < 0 || end < begin) {
      throw new IllegalArgumentException("the document has no place for results");
    }
    int from = begin + BEGIN.length();
    Map<Integer, List<String>> rows = rows(text.substring(from, end));
    verdicts.forEach(verdict -> rows.remove(number(verdict.id())));
    for (Verdict verdict : verdicts) {
      rows.computeIfAbsent(number(verdict.id()), id -> new ArrayList<>())
          .add(row(verdict, run, day));
    }
    StringBuilder table = new StringBuilder("\n\n").append(HEAD);
    rows.values().forEach(lines -> lines.forEach(line -> table.append(line).append('\n')));
    return text.substring(0, from) + table.append('\n') + text.substring(end);
  }

  private static Map<Integer, List<String>> rows(String table) {
    Map<Integer, List<String>> rows = new TreeMap<>();
    table
        .lines()
        .filter(line -> line.startsWith("| P"))
        .forEach(line -> {
          int id = number(line.substring(2, line.indexOf(' ', 2)));
          rows.computeIfAbsent(id, key -> new ArrayList<>()).add(line);
        });
    return rows;
  }

  private static int number(String id) {
    return Integer.parseInt(id.replaceAll("[^0-9]", ""));
  }

  private static String row(Verdict verdict, Run run, LocalDate day) {
    return "| %s | %s | %s | %s | %s, seed %d%s |"
        .formatted(
            verdict.id(),
            verdict.control() ? "control" : "promise",
            verdict.text(),
            verdict.met() ? "yes" : "**no**",
            day,
            run.seed(),
            run.quick() ? ", quick" : "");
  }
}
