package io.rapport.search;

import java.util.List;

/** Makes vectors of texts, by one model. Callers may use it at the same time. */
public interface Embedder extends AutoCloseable {
  /** How many numbers a vector has that is kept. */
  int DIMENSIONS = 1536;

  /** The model's name, as tenants start it; another version of it has another name. */
  String model();

  /** How many numbers of a vector the model makes; those after them are 0. */
  int dimensions();

  /**
   * The vector of each text, of {@link #DIMENSIONS} numbers, in order, for a caller who waits for
   * them. It needn't be of unit length. May block for as long as the model takes, or until the
   * deadline of the call that is being answered.
   *
   * @throws EmbedderException if they can't be made
   */
  List<float[]> embed(List<String> texts);

  /**
   * The same where nobody waits: callers go first.
   *
   * @param tries how often it is tried at most, where another try may help
   * @throws EmbedderException if they can't be made
   */
  default List<float[]> embedInBackground(List<String> texts, int tries) {
    return embed(texts);
  }

  /** Lets go of what the model needs. */
  @Override
  default void close() {}
}
