package io.rapport.identity;

import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;

/** What a password must be like: 8 characters, with a digit and an upper-case letter. */
final class PasswordRule {
  private static final int MIN_LENGTH = 8;

  private PasswordRule() {}

  static void require(String password, String path) {
    boolean strong =
        password.codePointCount(0, password.length()) >= MIN_LENGTH
            && password.codePoints().anyMatch(Character::isDigit)
            && password.codePoints().anyMatch(Character::isUpperCase);
    if (!strong) {
      throw ServiceException.invalid(
          path,
          ErrorReason.INVALID_FIELD,
          "must have 8 characters, a digit and an upper-case letter among them");
    }
  }
}
