package io.rapport.caching;

import io.rapport.caching.v1.CacheKey;
import io.rapport.caching.v1.Dependency;
import io.rapport.caching.v1.PredictionKey;
import io.rapport.caching.v1.UserEvents;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What a dependency is marked under: its kind, a blank, and which one it is. */
final class MarkName {
  /** The events that a user's money moves with. */
  private static final String TRANSACTION = "transaction_creation";

  private MarkName() {}

  static String of(Dependency dependency) {
    return switch (dependency.getOnCase()) {
      case USER_ID -> "USER " + uuid(dependency.getUserId());
      case USER_EVENTS ->
          "USER_EVENTS "
              + uuid(dependency.getUserEvents().getUserId())
              + " "
              + dependency.getUserEvents().getEventType();
      case EVENT_TYPE -> "EVENTS " + dependency.getEventType();
      case SEGMENT_OF_USER_ID -> "SEGMENT " + uuid(dependency.getSegmentOfUserId());
      case GOAL_ID -> "GOAL " + dependency.getGoalId();
      case CONVERSATION_ID -> "CONVERSATION " + dependency.getConversationId();
      case DATASET -> "DATASET " + dependency.getDataset();
      case MODEL_TYPE -> ofModel(dependency.getModelType());
      case MODEL_VERSION -> ofModelVersion(dependency.getModelVersion());
      case TAG -> "TAG " + dependency.getTag();
      case ENTRY -> ofValue(EntryKey.of(dependency.getEntry()).id());
      case ON_NOT_SET -> throw new IllegalStateException("the rules need a dependency");
    };
  }

  static String ofModel(String modelType) {
    return "MODEL " + modelType;
  }

  static String ofModelVersion(String version) {
    return "MODEL_VERSION " + version;
  }

  /** UUIDs have several forms, and a mark has one. */
  private static String uuid(String text) {
    return UUID.fromString(text).toString();
  }

  /** The dependency of a name; null if it is an entry or an owner, which none is. */
  static @Nullable Dependency dependency(String name) {
    int blank = name.indexOf(' ');
    String value = name.substring(blank + 1);
    Dependency.Builder dependency = Dependency.newBuilder();
    switch (name.substring(0, blank)) {
      case "USER" -> dependency.setUserId(value);
      case "USER_EVENTS" -> dependency.setUserEvents(userEvents(value));
      case "EVENTS" -> dependency.setEventType(value);
      case "SEGMENT" -> dependency.setSegmentOfUserId(value);
      case "GOAL" -> dependency.setGoalId(value);
      case "CONVERSATION" -> dependency.setConversationId(value);
      case "DATASET" -> dependency.setDataset(value);
      case "MODEL" -> dependency.setModelType(value);
      case "MODEL_VERSION" -> dependency.setModelVersion(value);
      case "TAG" -> dependency.setTag(value);
      default -> {
        return null;
      }
    }
    return dependency.build();
  }

  private static UserEvents userEvents(String value) {
    int blank = value.indexOf(' ');
    return UserEvents.newBuilder()
        .setUserId(value.substring(0, blank))
        .setEventType(value.substring(blank + 1))
        .build();
  }

  /** What every entry of a key depends on, without saying so. */
  static List<String> ofKey(EntryKey entry) {
    CacheKey key = entry.key();
    List<String> names =
        key.hasPrediction()
            ? ofPrediction(key.getPrediction())
            : ofVersion(key.getAnalysis().getModelVersion());
    names.add(ofOwner(entry.user()));
    return names;
  }

  /** By what all entries of a user are invalidated. */
  static String ofOwner(UUID user) {
    return "OWNER " + user;
  }

  /** What changes with the value of an entry. */
  static String ofValue(UUID entry) {
    return "ENTRY " + entry;
  }

  private static List<String> ofPrediction(PredictionKey key) {
    List<String> names = ofVersion(key.getModelVersion());
    String user = uuid(key.getUserId());
    names.add("USER_EVENTS " + user + " " + TRANSACTION);
    names.add(ofModel(key.getType().name().toLowerCase(Locale.ROOT)));
    if (key.getType() == PredictionKey.Type.RECOMMENDATION) {
      names.add("SEGMENT " + user);
    }
    return names;
  }

  private static List<String> ofVersion(String modelVersion) {
    List<String> names = new ArrayList<>();
    if (!modelVersion.isEmpty()) {
      names.add(ofModelVersion(modelVersion));
    }
    return names;
  }
}
