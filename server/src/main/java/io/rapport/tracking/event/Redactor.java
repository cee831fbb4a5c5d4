package io.rapport.tracking.event;

import io.rapport.tracking.v1.Redaction;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Takes out of an event's data what must not be kept: secrets, and the rest of long strings. */
final class Redactor {
  private static final int MAX_STRING = 1000;
  private static final int MAX_REPORTED = 100;

  private final Redaction.Builder report = Redaction.newBuilder();

  /** What was taken out; null if nothing was. */
  @Nullable Redaction report() {
    boolean unchanged = report.getDroppedKeysCount() == 0 && report.getCutKeysCount() == 0;
    return unchanged ? null : report.build();
  }

  Map<String, @Nullable Object> redact(Map<String, @Nullable Object> data) {
    return redact(data, "");
  }

  private Map<String, @Nullable Object> redact(Map<?, ?> object, String prefix) {
    Map<String, @Nullable Object> kept = new TreeMap<>();
    object.forEach((name, value) -> {
      String key = (String) name;
      String path = prefix + key;
      if (!SensitiveKeys.isSensitive(key)) {
        kept.put(key, redactValue(value, path));
      } else if (report.getDroppedKeysCount() < MAX_REPORTED) {
        report.addDroppedKeys(path);
      }
    });
    return kept;
  }

  private @Nullable Object redactValue(@Nullable Object value, String path) {
    return switch (value) {
      case null -> null;
      case String text -> cut(text, path);
      case Map<?, ?> object -> redact(object, path + ".");
      case List<?> array -> redactArray(array, path);
      default -> value;
    };
  }

  private List<@Nullable Object> redactArray(List<?> array, String path) {
    List<@Nullable Object> kept = new ArrayList<>(array.size());
    for (int i = 0; i < array.size(); i++) {
      kept.add(redactValue(array.get(i), path + "." + i));
    }
    return kept;
  }

  private String cut(String text, String path) {
    boolean surelyShort = text.length() <= MAX_STRING;
    if (surelyShort || text.codePointCount(0, text.length()) <= MAX_STRING) {
      return text;
    }
    if (report.getCutKeysCount() < MAX_REPORTED) {
      report.addCutKeys(path);
    }
    return text.substring(0, text.offsetByCodePoints(0, MAX_STRING));
  }
}
