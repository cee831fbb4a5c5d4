package io.rapport.client;

import io.rapport.versioning.v1.TrainingEvent;
import java.util.Optional;

/** One attempt at a training, as a {@link Trainer} sees it. Any thread may use it. */
public final class TrainingJob {
  private final TrainingEvent event;
  private volatile Told told = new Told(0, "");
  private volatile boolean cancelled;

  record Told(double progress, String message) {}

  TrainingJob(TrainingEvent event) {
    this.event = event;
  }

  /** The training, as it was when it was claimed. */
  public TrainingEvent event() {
    return event;
  }

  /** The type of the model. */
  public String modelType() {
    return event.getModelType();
  }

  /** UUID of the dataset. */
  public String datasetId() {
    return event.getTrainingDatasetId();
  }

  /**
   * UUID of the frozen dataset to train with; empty: the trainer's choice, which it should tell by
   * {@link TrainingResult#withManifest}.
   */
  public Optional<String> manifestId() {
    return Optional.of(event.getManifestId()).filter(it -> !it.isEmpty());
  }

  /**
   * Tells how far the training is. It is sent within a second, without waiting for it here.
   *
   * @param progress 0 to 1
   * @param message what is being done; at most 1,000 characters
   */
  public void progress(double progress, String message) {
    if (!(progress >= 0 && progress <= 1)) {
      throw new IllegalArgumentException("progress must be 0 to 1: " + progress);
    }
    told = new Told(progress, message.length() > 1000 ? message.substring(0, 1000) : message);
  }

  /**
   * Whether the result is no longer wanted: the training was called off, its lease was lost, or the
   * worker is being closed. A trainer should look from time to time and stop by throwing anything.
   */
  public boolean isCancelled() {
    return cancelled;
  }

  void cancel() {
    cancelled = true;
  }

  Told told() {
    return told;
  }
}
