package io.rapport.bench;

import com.google.errorprone.annotations.FormatMethod;
import java.util.Locale;

/** Tells people what goes on; the results are for standard output. */
public final class Report {
  private Report() {}

  @FormatMethod
  public static void say(String format, Object... arguments) {
    System.err.println(String.format(Locale.ROOT, format, arguments));
  }
}
