package io.rapport.platform;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Message;
import io.rapport.platform.v1.ErrorReason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import javax.crypto.Mac;
import org.jspecify.annotations.Nullable;

/**
 * Tokens that say where the next page begins, for the tenant and the arguments that they were made
 * for and no others.
 */
public final class PageTokens {
  private static final byte PURPOSE = 'P';
  private static final int DIGEST_SIZE = 16;
  private static final int MAC_SIZE = 16;
  private static final int DEFAULT_SIZE = 50;
  private static final int MAX_SIZE = 1000;

  private PageTokens() {}

  /** How many to return when {@code requested} were asked for. */
  public static int size(int requested) {
    return requested == 0 ? DEFAULT_SIZE : Math.min(requested, MAX_SIZE);
  }

  /**
   * @param arguments the request without what may differ from page to page
   * @param cursor where the next page begins, as the store knows it
   */
  public static String encode(Caller.Tenant tenant, Message arguments, byte[] cursor) {
    byte[] body =
        ByteBuffer.allocate(DIGEST_SIZE + cursor.length).put(digest(arguments)).put(cursor).array();
    byte[] token =
        ByteBuffer.allocate(MAC_SIZE + body.length).put(mac(tenant, body)).put(body).array();
    return text(token);
  }

  /** The cursor of a token; empty for the first page. */
  public static Optional<byte[]> decode(Caller.Tenant tenant, Message arguments, String token) {
    if (token.isEmpty()) {
      return Optional.empty();
    }
    byte[] bytes = base64(token);
    if (bytes == null || bytes.length < MAC_SIZE + DIGEST_SIZE) {
      throw invalid();
    }
    byte[] body = Arrays.copyOfRange(bytes, MAC_SIZE, bytes.length);
    if (!MessageDigest.isEqual(mac(tenant, body), Arrays.copyOf(bytes, MAC_SIZE))) {
      throw invalid();
    }
    if (!Arrays.equals(digest(arguments), Arrays.copyOf(body, DIGEST_SIZE))) {
      throw ServiceException.invalid(
          "page_token",
          ErrorReason.PAGE_TOKEN_MISMATCH,
          "belongs to a request with other arguments");
    }
    return Optional.of(Arrays.copyOfRange(body, DIGEST_SIZE, body.length));
  }

  private static ServiceException invalid() {
    return ServiceException.invalid(
        "page_token", ErrorReason.PAGE_TOKEN_INVALID, "is not a token of this service");
  }

  private static String text(byte[] token) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(token);
  }

  /** The bytes, if the text is their one form: the decoder overlooks padding and spare bits. */
  private static byte @Nullable [] base64(String token) {
    try {
      byte[] bytes = Base64.getUrlDecoder().decode(token);
      return text(bytes).equals(token) ? bytes : null;
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static byte[] mac(Caller.Tenant tenant, byte[] body) {
    Mac mac = tenant.secret().mac();
    mac.update(PURPOSE);
    return Arrays.copyOf(mac.doFinal(body), MAC_SIZE);
  }

  private static byte[] digest(Message arguments) {
    try {
      byte[] bytes = new byte[arguments.getSerializedSize()];
      CodedOutputStream out = CodedOutputStream.newInstance(bytes);
      out.useDeterministicSerialization();
      arguments.writeTo(out);
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      sha.update(arguments.getDescriptorForType().getFullName().getBytes(StandardCharsets.UTF_8));
      return Arrays.copyOf(sha.digest(bytes), DIGEST_SIZE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
