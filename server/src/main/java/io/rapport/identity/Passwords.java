package io.rapport.identity;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;
import org.jspecify.annotations.Nullable;

/**
 * Hashes passwords by Argon2id with the parameters that OWASP recommends, and checks them. To be
 * costly is the point, so only as many are hashed at a time as there are processors.
 */
final class Passwords {
  private static final int MEMORY_KIB = 19 * 1024;
  private static final int ITERATIONS = 2;
  private static final int LANES = 1;
  private static final int SALT_BYTES = 16;
  private static final int HASH_BYTES = 32;
  private static final Duration PATIENCE = Duration.ofSeconds(2);
  private static final Duration SOON = Duration.ofMillis(250);
  private static final Pattern FORM =
      Pattern.compile(
          "\\$argon2id\\$v=19\\$m=(\\d+),t=(\\d+),p=(\\d+)\\$([A-Za-z0-9+/]+)\\$([A-Za-z0-9+/]+)");

  private final SecureRandom random = new SecureRandom();
  private final Semaphore processors = new Semaphore(Runtime.getRuntime().availableProcessors());

  /** The same for the same password and place, and nothing like it for any other. */
  String fingerprint(String password, String place) {
    return HexFormat.of().formatHex(hash(password, place.getBytes(UTF_8)));
  }

  private byte[] hash(String password, byte[] salt) {
    return inTurn(() -> argon2(password, salt, MEMORY_KIB, ITERATIONS, LANES, HASH_BYTES));
  }

  /** The hash of a password with its salt and parameters, in the usual form. */
  String hash(String password) {
    byte[] salt = new byte[SALT_BYTES];
    random.nextBytes(salt);
    byte[] hash = hash(password, salt);
    Base64.Encoder base64 = Base64.getEncoder().withoutPadding();
    return "$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s"
        .formatted(
            MEMORY_KIB,
            ITERATIONS,
            LANES,
            base64.encodeToString(salt),
            base64.encodeToString(hash));
  }

  /**
   * Whether the password is the hashed one. Without a hash it takes as long to say no.
   *
   * @param hash of the user's password; null if there is none
   */
  boolean matches(String password, @Nullable String hash) {
    Matcher form = FORM.matcher(hash == null ? "" : hash);
    if (!form.matches()) {
      hash(password);
      return false;
    }
    byte[] expected = Base64.getDecoder().decode(form.group(5));
    byte[] actual =
        inTurn(() ->
            argon2(
                password,
                Base64.getDecoder().decode(form.group(4)),
                Integer.parseInt(form.group(1)),
                Integer.parseInt(form.group(2)),
                Integer.parseInt(form.group(3)),
                expected.length));
    return MessageDigest.isEqual(expected, actual);
  }

  private static byte[] argon2(
      String password, byte[] salt, int memory, int iterations, int lanes, int bytes) {
    Argon2BytesGenerator generator = new Argon2BytesGenerator();
    generator.init(
        new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
            .withVersion(Argon2Parameters.ARGON2_VERSION_13)
            .withMemoryAsKB(memory)
            .withIterations(iterations)
            .withParallelism(lanes)
            .withSalt(salt)
            .build());
    byte[] hash = new byte[bytes];
    generator.generateBytes(password.getBytes(UTF_8), hash);
    return hash;
  }

  private <T> T inTurn(Supplier<T> work) {
    if (!isReached()) {
      throw ServiceException.unavailable(
          ErrorReason.OVERLOADED, "too many passwords are being checked; repeat", SOON);
    }
    try {
      return work.get();
    } finally {
      processors.release();
    }
  }

  private boolean isReached() {
    try {
      return processors.tryAcquire(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
