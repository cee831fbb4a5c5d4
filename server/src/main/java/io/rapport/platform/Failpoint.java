package io.rapport.platform;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Places at which a developer can have the process fail. They do nothing unless it was started with
 * {@code -Drapport.failpoints=POINT=ACTION,…}, where an action is {@code sleep:MILLIS}, {@code
 * throw} or {@code halt}; with {@code @N} behind it, at the Nth time only.
 */
public final class Failpoint {
  private static final String PROPERTY = "rapport.failpoints";
  private static final int HALTED = 137;

  /** The places that exist. */
  private static final Set<String> NAMES =
      Set.of("idem.afterReserve", "tx.beforeCommit", "tx.afterCommitBeforeReply");

  private static final String SET = System.getProperty(PROPERTY, "");

  /** Constant for the compiler, which leaves out what is never on. */
  private static final boolean ON = !SET.isEmpty();

  private static final Map<String, Failpoint> POINTS = ON ? parse(SET) : Map.of();

  /** Starting up must come to its end. */
  private static volatile boolean serving;

  private final String name;
  private final Action action;
  private final long millis;
  private final long only;
  private final AtomicLong hits = new AtomicLong();

  private enum Action {
    SLEEP,
    THROW,
    HALT
  }

  private Failpoint(String name, Action action, long millis, long only) {
    this.name = name;
    this.action = action;
    this.millis = millis;
    this.only = only;
  }

  /** Does what the process was told to do here: mostly nothing. */
  public static void hit(String name) {
    if (ON && serving) {
      Failpoint point = POINTS.get(name);
      if (point != null) {
        point.hit();
      }
    }
  }

  /** From now on the process may fail. */
  public static void arm() {
    serving = true;
  }

  /** Whether this process was started with any. */
  public static boolean areSet() {
    return ON;
  }

  /**
   * Reads points and their actions.
   *
   * @throws IllegalArgumentException if there is no such point or action
   */
  static Map<String, Failpoint> parse(String text) {
    Map<String, Failpoint> points = new HashMap<>();
    for (String each : text.split(",", -1)) {
      int equals = each.indexOf('=');
      String name = each.substring(0, Math.max(0, equals));
      require(NAMES.contains(name), each, "there is no such point");
      points.put(name, parse(name, each.substring(equals + 1), each));
    }
    return points;
  }

  private static Failpoint parse(String name, String what, String whole) {
    int at = what.indexOf('@');
    String done = at < 0 ? what : what.substring(0, at);
    int colon = done.indexOf(':');
    String action = colon < 0 ? done : done.substring(0, colon);
    require(Set.of("sleep", "throw", "halt").contains(action), whole, "there is no such action");
    require(action.equals("sleep") == colon >= 0, whole, "only sleep has a time, and needs it");
    return new Failpoint(
        name,
        Action.valueOf(action.toUpperCase(Locale.ROOT)),
        colon < 0 ? 0 : number(done.substring(colon + 1), whole),
        at < 0 ? 0 : number(what.substring(at + 1), whole));
  }

  private static long number(String text, String whole) {
    require(text.matches("[1-9][0-9]{0,8}"), whole, "a number from 1 is needed");
    return Long.parseLong(text);
  }

  private static void require(boolean holds, String what, String why) {
    if (!holds) {
      throw new IllegalArgumentException(PROPERTY + ": " + what + ": " + why);
    }
  }

  private void hit() {
    long now = hits.incrementAndGet();
    if (only != 0 && now != only) {
      return;
    }
    switch (action) {
      case SLEEP -> sleep();
      case THROW -> throw new IllegalStateException("failpoint " + name);
      case HALT -> Runtime.getRuntime().halt(HALTED);
    }
  }

  private void sleep() {
    try {
      TimeUnit.MILLISECONDS.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
