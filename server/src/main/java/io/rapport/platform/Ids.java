package io.rapport.platform;

import com.github.f4b6a3.uuid.UuidCreator;
import java.util.UUID;

/** The ids that the service makes. */
public final class Ids {
  private Ids() {}

  /** A UUIDv7: ids made later sort later. */
  public static UUID next() {
    return UuidCreator.getTimeOrderedEpoch();
  }

  /** A UUIDv4: tells nothing. */
  public static UUID random() {
    return UUID.randomUUID();
  }
}
