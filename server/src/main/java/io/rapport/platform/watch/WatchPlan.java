package io.rapport.platform.watch;

import com.google.protobuf.Duration;
import com.google.protobuf.ProtocolStringList;
import io.rapport.platform.v1.WatchStart;
import java.util.List;
import java.util.UUID;

/**
 * What a watch is to tell.
 *
 * @param selection without the users
 * @param users whom it is about; empty: anybody or nobody
 * @param initialKinds whose initial state comes first
 * @param checkpointInterval after how long without a message one is sent
 */
public record WatchPlan(
    Selection selection,
    List<UUID> users,
    WatchStart start,
    List<String> initialKinds,
    java.time.Duration checkpointInterval) {
  private static final java.time.Duration INTERVAL = java.time.Duration.ofSeconds(10);

  /** The interval that was asked for, or else the usual one. */
  public static java.time.Duration interval(boolean asked, Duration interval) {
    return asked
        ? java.time.Duration.ofSeconds(interval.getSeconds(), interval.getNanos())
        : INTERVAL;
  }

  public static List<UUID> ids(ProtocolStringList texts) {
    return texts.stream().map(UUID::fromString).distinct().toList();
  }
}
