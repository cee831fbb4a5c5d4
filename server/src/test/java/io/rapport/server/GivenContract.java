package io.rapport.server;

import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventContract;
import io.rapport.tracking.v1.EventContract.Mode;
import io.rapport.tracking.v1.FieldRule;

/** Contracts that tests begin with. */
public final class GivenContract {
  /** A type that the service doesn't know. */
  public static final String TYPE = "workout";

  /** The data of one that keeps the contract, and of one that doesn't. */
  public static final String GOOD = "{\"sport\":\"run\",\"minutes\":30}";

  public static final String BAD = "{\"sport\":7,\"minutes\":0}";

  private GivenContract() {}

  /** A workout has a sport, and minutes from 1 to 600. */
  public static EventContract.Builder workout(Mode mode) {
    return EventContract.newBuilder()
        .setEventType(TYPE)
        .setMode(mode)
        .addFields(
            FieldRule.newBuilder()
                .setPath("sport")
                .setRequired(true)
                .setType(FieldRule.Type.STRING))
        .addFields(
            FieldRule.newBuilder()
                .setPath("minutes")
                .setRequired(true)
                .setType(FieldRule.Type.INTEGER)
                .setMin(1)
                .setMax(600));
  }

  /** A workout of ada with this data. */
  public static Event.Builder workoutWith(String json) {
    return Given.eventWith(json).setEventType(TYPE);
  }

  /** A contract of one rule, which rejects. */
  public static EventContract of(FieldRule.Builder rule) {
    return EventContract.newBuilder()
        .setEventType(TYPE)
        .setMode(Mode.REJECT)
        .addFields(rule)
        .build();
  }
}
