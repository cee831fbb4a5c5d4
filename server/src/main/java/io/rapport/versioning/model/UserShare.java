package io.rapport.versioning.model;

import io.rapport.versioning.Digests;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * Where users stand when a share of them gets something: the same for ever, and for each model type
 * another place, so that it isn't always the same users who try what is new.
 */
final class UserShare {
  /** How many places there are. */
  static final int WHOLE = 10_000;

  private UserShare() {}

  /** The user's place, 0 to 9,999. */
  static int of(UUID tenant, String modelType, UUID user) {
    byte[] type = modelType.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(4 * Long.BYTES + Integer.BYTES + type.length);
    bytes.putLong(tenant.getMostSignificantBits()).putLong(tenant.getLeastSignificantBits());
    bytes.putInt(type.length).put(type);
    bytes.putLong(user.getMostSignificantBits()).putLong(user.getLeastSignificantBits());
    long hash = ByteBuffer.wrap(Digests.sha256().digest(bytes.array())).getLong();
    return (int) Long.remainderUnsigned(hash, WHOLE);
  }
}
