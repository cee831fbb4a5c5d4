package io.rapport.platform;

import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** A tenant's key: what it signs, no other tenant can sign or compare. */
public final class TenantSecret {
  private static final int SIZE = 32;
  private static final String ALGORITHM = "HmacSHA256";
  private static final SecureRandom random = new SecureRandom();

  private final SecretKeySpec key;

  public TenantSecret(byte[] secret) {
    this.key = new SecretKeySpec(secret, ALGORITHM);
  }

  /** The bytes of a new secret. */
  public static byte[] generate() {
    byte[] secret = new byte[SIZE];
    random.nextBytes(secret);
    return secret;
  }

  /**
   * A keyed hash function, for one thread. What is hashed begins with a byte that tells its
   * purpose, so that what is signed for one can't be used for another.
   */
  public Mac mac() {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key);
      return mac;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has " + ALGORITHM, e);
    }
  }

  @Override
  public String toString() {
    return "TenantSecret[…]";
  }
}
