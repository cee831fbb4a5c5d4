package io.rapport.faults;

import io.rapport.bench.Report;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Asks every RPC for things of another tenant and for things that nobody has, and compares what is
 * told. The asker and its twin have the same; only so can both answers be those of a tenant that
 * has never asked before, also when what they ask for makes something.
 */
final class Questions {
  private static final Pattern ID =
      Pattern.compile("[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32,}");

  private final Inhabitant asker;
  private final Inhabitant twin;
  private final Inhabitant other;
  private final Names nobodys = Names.invented(Requests.kinds());
  private final Set<String> asked = new TreeSet<>();
  private final Set<String> unasked = new TreeSet<>();
  private final Set<String> tellingOwn = new TreeSet<>();
  private final List<String> differences = new ArrayList<>();
  private final List<String> crossReads = new ArrayList<>();

  Questions(Inhabitant asker, Inhabitant twin, Inhabitant other) {
    this.asker = asker;
    this.twin = twin;
    this.other = other;
  }

  /** Reads, and tries of writes. */
  void ask() throws Exception {
    for (AnyRpc rpc : AnyRpc.all()) {
      List<String> requests = Requests.of(rpc);
      (requests.isEmpty() ? unasked : asked).add(rpc.name());
      for (String request : requests) {
        if (rpc.isRead() || rpc.canBeTried()) {
          String none = compare(rpc, request, true);
          String own = asker.ask(rpc, asker.names().fill(request), true);
          findOthers(rpc, asker.names().fill(request), own);
          if (!hidden(asker, asker.names(), own).equals(none)) {
            tellingOwn.add(rpc.name());
          }
        }
      }
    }
  }

  /** The same in earnest. */
  void write() throws Exception {
    for (AnyRpc rpc : AnyRpc.all()) {
      for (String request : Requests.of(rpc)) {
        compare(rpc, request, false);
      }
    }
  }

  /** Asks for what is another's and for what is nobody's; returns what is told of the latter. */
  private String compare(AnyRpc rpc, String request, boolean trying) throws Exception {
    String question = other.names().fill(request);
    String answer = asker.ask(rpc, question, trying);
    if (trying) {
      findOthers(rpc, question, answer);
    }
    String theirs = hidden(asker, other.names(), answer);
    String none = hidden(twin, nobodys, twin.ask(rpc, nobodys.fill(request), trying));
    if (!theirs.equals(none)) {
      differences.add(rpc.name());
      Report.say(
          "  %s { %s }%n    another's: %s%n    nobody's: %s", rpc.name(), request, theirs, none);
    }
    return none;
  }

  /** An answer may repeat what the question names, and nothing else that is another's. */
  private void findOthers(AnyRpc rpc, String question, String answer) {
    for (String name : other.names().in(answer)) {
      if (!question.contains(name)) {
        crossReads.add(rpc.name());
        Report.say("  %s { %s } shows %s", rpc.name(), question, name);
      }
    }
  }

  private static String hidden(Inhabitant asker, Names named, String answer) {
    String told =
        named.hide(
            asker.names().equals(named) ? answer : asker.names().hide(answer, "own"), "asked");
    return ID.matcher(told).replaceAll("ID");
  }

  Set<String> asked() {
    return asked;
  }

  Set<String> unasked() {
    return unasked;
  }

  /** The RPCs that tell of one's own things what they don't of nobody's. */
  Set<String> tellingOwn() {
    return tellingOwn;
  }

  List<String> differences() {
    return differences;
  }

  List<String> crossReads() {
    return crossReads;
  }
}
