package io.rapport.client;

import com.google.protobuf.Timestamp;
import java.time.Duration;
import java.time.Instant;

/** Java's times as the contract has them. */
final class Times {
  private Times() {}

  static com.google.protobuf.Duration duration(Duration time) {
    return com.google.protobuf.Duration.newBuilder()
        .setSeconds(time.getSeconds())
        .setNanos(time.getNano())
        .build();
  }

  static Timestamp timestamp(Instant time) {
    return Timestamp.newBuilder()
        .setSeconds(time.getEpochSecond())
        .setNanos(time.getNano())
        .build();
  }
}
