package io.rapport.platform;

import io.grpc.Status.Code;
import io.rapport.platform.v1.ErrorReason;

/** Etags: an entity's revision, in quotes. */
public final class Etags {
  private Etags() {}

  public static String of(long revision) {
    return '"' + Long.toString(revision) + '"';
  }

  /**
   * Refuses what is meant for an entity as it was before.
   *
   * @param current the entity's etag
   * @param sent that of what the caller read; empty if the caller doesn't mind
   */
  public static void require(String kind, String id, String current, String sent) {
    if (!sent.isEmpty() && !sent.equals(current)) {
      throw ServiceException.of(
              Code.ABORTED,
              ErrorReason.ETAG_MISMATCH,
              "the " + kind + " has changed since its etag was read")
          .with("kind", kind)
          .with("id", id)
          .with("etag", current);
    }
  }
}
