package io.rapport.platform.json;

import io.rapport.platform.v1.ErrorReason;
import java.util.Optional;

/** What texts PostgreSQL can hold. */
public final class Texts {
  private Texts() {}

  /** Why a text can't be held; empty if it can. */
  public static Optional<ErrorReason> problem(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\0') {
        return Optional.of(ErrorReason.TEXT_NUL);
      }
      if (Character.isSurrogate(c)) {
        boolean pair = Character.isHighSurrogate(c) && i + 1 < text.length();
        if (!pair || !Character.isLowSurrogate(text.charAt(++i))) {
          return Optional.of(ErrorReason.TEXT_INVALID_UNICODE);
        }
      }
    }
    return Optional.empty();
  }

  public static String describe(ErrorReason problem) {
    return problem == ErrorReason.TEXT_NUL
        ? "must not contain NUL"
        : "has half of a surrogate pair";
  }
}
