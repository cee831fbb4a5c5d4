package io.rapport.tracking.event;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.regex.Pattern;

/**
 * Tells keys that name a secret. A key is judged by its words, so {@code apiKey} and {@code
 * credit_card} are secrets, and {@code keyboard} and {@code discard} are not.
 */
public final class SensitiveKeys {
  private static final Set<String> WORDS =
      Set.of(
          "password",
          "passwords",
          "passwd",
          "pwd",
          "passphrase",
          "token",
          "tokens",
          "secret",
          "secrets",
          "key",
          "keys",
          "apikey",
          "auth",
          "authorization",
          "authentication",
          "ssn",
          "credit",
          "card",
          "cards",
          "creditcard",
          "social",
          "security",
          "socialsecurity",
          "pin",
          "pins",
          "cvv",
          "cvc",
          "iban");

  /** In APIkey the small letters are the next word, other than in APIKey. */
  private static final Pattern ACRONYM = Pattern.compile("(\\p{Lu}{2,})(\\p{Ll})");

  private static final int MAX_REMEMBERED = 10_000;
  private static final int MAX_REMEMBERED_LENGTH = 100;
  private static final ConcurrentMap<String, Boolean> judged = new ConcurrentHashMap<>();

  private SensitiveKeys() {}

  public static boolean isSensitive(String key) {
    Boolean known = judged.get(key);
    if (known != null) {
      return known;
    }
    boolean sensitive = namesSecret(key) || namesSecret(ACRONYM.matcher(key).replaceAll("$1_$2"));
    if (key.length() <= MAX_REMEMBERED_LENGTH && judged.size() < MAX_REMEMBERED) {
      judged.put(key, sensitive);
    }
    return sensitive;
  }

  private static boolean namesSecret(String key) {
    return words(key).stream().anyMatch(WORDS::contains);
  }

  /** The words of a key: parted by whatever is no letter, and where a capital follows. */
  private static List<String> words(String key) {
    List<String> words = new ArrayList<>();
    int start = 0;
    for (int i = 0; i <= key.length(); i++) {
      boolean end = i == key.length() || !Character.isLetter(key.charAt(i));
      if (end || startsWord(key, i)) {
        if (i > start) {
          words.add(key.substring(start, i).toLowerCase(Locale.ROOT));
        }
        start = end ? i + 1 : i;
      }
    }
    return words;
  }

  /** In apiKey the K, in JWTToken the second T. */
  private static boolean startsWord(String key, int i) {
    if (i == 0 || !Character.isUpperCase(key.charAt(i))) {
      return false;
    }
    boolean afterSmall = Character.isLowerCase(key.charAt(i - 1));
    boolean beforeSmall = i + 1 < key.length() && Character.isLowerCase(key.charAt(i + 1));
    return afterSmall || beforeSmall;
  }
}
