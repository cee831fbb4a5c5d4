package io.rapport.client;

import io.grpc.Status;

/** How many events of a message, or of a writer, came to which end. */
record Tally(long recorded, long duplicate, long conflict, long refused, long quarantined) {
  static final Tally NONE = new Tally(0, 0, 0, 0, 0);

  static InternalException broken(String what) {
    return new InternalException(
        ErrorDetails.local(
            Status.Code.INTERNAL, "The service's answer breaks the contract: " + what),
        null);
  }

  Tally plus(Tally other) {
    return new Tally(
        recorded + other.recorded,
        duplicate + other.duplicate,
        conflict + other.conflict,
        refused + other.refused,
        quarantined + other.quarantined);
  }
}
