package io.rapport.versioning.model;

import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import java.math.BigInteger;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A version by semver.org 2.0.0.
 *
 * @param preRelease identifiers with dots between them; empty for a release
 */
record SemanticVersion(
    BigInteger major, BigInteger minor, BigInteger patch, String preRelease, String build) {
  static final SemanticVersion FIRST =
      new SemanticVersion(BigInteger.ONE, BigInteger.ZERO, BigInteger.ZERO, "", "");

  /** The most characters that a version may have. */
  static final int MAX_LENGTH = 64;

  private static final String NUMBER = "(0|[1-9][0-9]*)";
  private static final String IDENTIFIER = "(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)";
  private static final Pattern FORM =
      Pattern.compile(
          "%1$s[.]%1$s[.]%1$s(?:-(%2$s(?:[.]%2$s)*))?(?:[+]([0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*))?"
              .formatted(NUMBER, IDENTIFIER));

  static Optional<SemanticVersion> parse(String text) {
    Matcher parts = FORM.matcher(text);
    return parts.matches()
        ? Optional.of(
            new SemanticVersion(
                new BigInteger(parts.group(1)),
                new BigInteger(parts.group(2)),
                new BigInteger(parts.group(3)),
                Optional.ofNullable(parts.group(4)).orElse(""),
                Optional.ofNullable(parts.group(5)).orElse("")))
        : Optional.empty();
  }

  /** The version that stands in a field of a request. */
  static SemanticVersion of(String text, String field) {
    return parse(text)
        .orElseThrow(() ->
            ServiceException.invalid(
                field,
                ErrorReason.INVALID_FIELD,
                "is no semantic version such as 1.4.0 or 2.0.0-rc.1"));
  }

  SemanticVersion nextPatch() {
    return new SemanticVersion(major, minor, patch.add(BigInteger.ONE), "", "");
  }

  /**
   * A text whose order by bytes is that of precedence: a number stands behind the count of its
   * digits, so that longer ones come later; numeric identifiers come before others, fewer before
   * more, and a release after all its pre-releases.
   */
  String key() {
    StringBuilder key = new StringBuilder();
    number(key, major.toString());
    number(key, minor.toString());
    number(key, patch.toString());
    if (preRelease.isEmpty()) {
      return key.append('~').toString();
    }
    for (String identifier : preRelease.split("[.]", -1)) {
      if (identifier.chars().allMatch(Character::isDigit)) {
        number(key.append('0'), identifier);
      } else {
        key.append('A').append(identifier).append(' ');
      }
    }
    return key.toString();
  }

  private static void number(StringBuilder key, String digits) {
    key.append(String.format(Locale.ROOT, "%02d", digits.length())).append(digits);
  }

  @Override
  public String toString() {
    return major
        + "."
        + minor
        + "."
        + patch
        + (preRelease.isEmpty() ? "" : "-" + preRelease)
        + (build.isEmpty() ? "" : "+" + build);
  }
}
