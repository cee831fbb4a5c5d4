package io.rapport.faults;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a test of a promise showed.
 *
 * @param control whether the promise was broken on purpose, so that the test had to fail
 * @param met whether it came as it should
 */
record Verdict(String id, boolean control, Map<String, Object> figures, boolean met) {
  /** Figures of a test, in the order in which they were added. */
  static final class Figures {
    private final String id;
    private final Map<String, Object> figures = new LinkedHashMap<>();

    private Figures(String id) {
      this.id = id;
    }

    Figures with(String name, Object value) {
      figures.put(name, value);
      return this;
    }

    /** Of the promise itself. */
    Verdict met(boolean met) {
      return new Verdict(id, false, figures, met);
    }

    /** Of the control, which has to break the promise. */
    Verdict failed(boolean failed) {
      return new Verdict(id, true, figures, failed);
    }
  }

  static Figures of(String id) {
    return new Figures(id);
  }

  String line() {
    return "RELIABILITY id="
        + id
        + (control ? " control=yes " : " ")
        + text()
        + (control ? " failed_as_expected=" : " met=")
        + (met ? "yes" : "no");
  }

  /** The figures alone. */
  String text() {
    return figures.entrySet().stream()
        .map(it -> it.getKey() + "=" + it.getValue())
        .collect(Collectors.joining(" "));
  }
}
