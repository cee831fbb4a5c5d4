package io.rapport.client;

/** Trains models of the types that it was registered for; see {@link LearningClient#work}. */
@FunctionalInterface
public interface Trainer {
  /**
   * Trains one model.
   *
   * @return what came of it
   * @throws TrainingFailedException if it can't be done; it says whether another attempt may help
   * @throws Exception likewise, and another attempt may help
   */
  TrainingResult train(TrainingJob job) throws Exception;
}
