package io.rapport.platform;

import io.grpc.Context;
import io.rapport.platform.v1.ErrorReason;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import javax.crypto.Mac;

/**
 * The number of a tenant's commit as callers know it: a text that they can't make, and whose order
 * is that of the commits.
 */
public final class Positions {
  static final Context.Key<Long> AT_LEAST = Context.key("rapport.at-least");

  private static final byte PURPOSE = 'V';
  private static final int DIGITS = 16;
  private static final int MAC_SIZE = 9;

  private Positions() {}

  /**
   * The number of the commit that the call must see; 0 if it doesn't say. What reads the database
   * sees it: all reads are the primary's, which has every commit that was answered.
   */
  public static long atLeast() {
    Long position = AT_LEAST.get();
    return position == null ? 0 : position;
  }

  public static String encode(Caller.Tenant tenant, long position) {
    return HexFormat.of().toHexDigits(position) + signature(tenant, position);
  }

  /** The number of a text of {@link #encode}; throws if it is none, or another tenant's. */
  public static long decode(Caller.Tenant tenant, String text) {
    try {
      long position = HexFormat.fromHexDigitsToLong(text, 0, Math.min(DIGITS, text.length()));
      if (MessageDigest.isEqual(bytes(encode(tenant, position)), bytes(text))) {
        return position;
      }
    } catch (IllegalArgumentException e) {
      throw invalid();
    }
    throw invalid();
  }

  private static String signature(Caller.Tenant tenant, long position) {
    Mac mac = tenant.secret().mac();
    mac.update(PURPOSE);
    byte[] signed = mac.doFinal(ByteBuffer.allocate(Long.BYTES).putLong(position).array());
    return Base64.getUrlEncoder().encodeToString(Arrays.copyOf(signed, MAC_SIZE));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static ServiceException invalid() {
    return ServiceException.invalid(
        "position", ErrorReason.POSITION_INVALID, "is not one that this service gave this tenant");
  }
}
