package io.rapport.platform.watch;

import io.rapport.platform.Caller;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Times;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.platform.watch.InitialState.Point;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.UUID;
import javax.crypto.Mac;
import org.jspecify.annotations.Nullable;

/**
 * How far a watch has got, as callers know it: a text that they can't make, for one tenant.
 *
 * @param place of the changes that come next
 * @param initial how far the initial state has got, which comes before them; null: past it
 */
record Cursor(Place place, @Nullable Initial initial) {
  private static final byte PURPOSE = 'W';
  private static final int MAC_SIZE = 16;
  private static final int MAX_SIZE = 256;
  private static final byte HAS_EVENT = 1;
  private static final byte HAS_INITIAL = 2;
  private static final byte HAS_POINT = 4;

  /** The kind that is being listed, and the last of it that was; null: none yet. */
  record Initial(String kind, @Nullable Point point) {}

  String encode(Caller.Tenant tenant) {
    ByteBuffer body = ByteBuffer.allocate(MAX_SIZE);
    body.put(flags()).putLong(place.position()).putInt(place.ordinal());
    if (place.event() != null) {
      put(body, place.event());
    }
    if (initial != null) {
      if (initial.point() != null) {
        body.putLong(Times.micros(initial.point().at()));
        put(body, initial.point().id());
      }
      body.put(initial.kind().getBytes(StandardCharsets.UTF_8));
    }
    byte[] bytes = Arrays.copyOf(body.array(), body.position());
    byte[] cursor =
        ByteBuffer.allocate(MAC_SIZE + bytes.length).put(mac(tenant, bytes)).put(bytes).array();
    return text(cursor);
  }

  private byte flags() {
    int flags = place.event() == null ? 0 : HAS_EVENT;
    if (initial != null) {
      flags |= HAS_INITIAL | (initial.point() == null ? 0 : HAS_POINT);
    }
    return (byte) flags;
  }

  private static void put(ByteBuffer bytes, UUID id) {
    bytes.putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
  }

  /** The cursor of a text of {@link #encode}; throws if it is none, or another tenant's. */
  static Cursor decode(Caller.Tenant tenant, String text) {
    try {
      byte[] bytes = Base64.getUrlDecoder().decode(text);
      byte[] body = Arrays.copyOfRange(bytes, Math.min(MAC_SIZE, bytes.length), bytes.length);
      byte[] mac = Arrays.copyOf(bytes, MAC_SIZE);
      if (text(bytes).equals(text) && MessageDigest.isEqual(mac(tenant, body), mac)) {
        return read(ByteBuffer.wrap(body));
      }
    } catch (IllegalArgumentException | BufferUnderflowException e) {
      throw invalid();
    }
    throw invalid();
  }

  private static Cursor read(ByteBuffer body) {
    byte flags = body.get();
    long position = body.getLong();
    int ordinal = body.getInt();
    UUID event = (flags & HAS_EVENT) == 0 ? null : id(body);
    Place place = new Place(position, ordinal, event);
    if ((flags & HAS_INITIAL) == 0) {
      return new Cursor(place, null);
    }
    Point point =
        (flags & HAS_POINT) == 0 ? null : new Point(Times.instant(body.getLong()), id(body));
    return new Cursor(place, new Initial(StandardCharsets.UTF_8.decode(body).toString(), point));
  }

  private static UUID id(ByteBuffer bytes) {
    return new UUID(bytes.getLong(), bytes.getLong());
  }

  private static byte[] mac(Caller.Tenant tenant, byte[] body) {
    Mac mac = tenant.secret().mac();
    mac.update(PURPOSE);
    return Arrays.copyOf(mac.doFinal(body), MAC_SIZE);
  }

  private static String text(byte[] cursor) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(cursor);
  }

  private static ServiceException invalid() {
    return ServiceException.invalid(
        "start.after", ErrorReason.CURSOR_INVALID, "is not one that this service gave this tenant");
  }
}
