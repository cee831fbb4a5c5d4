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
   * The vector of each text, of {@link #DIMENSIONS} numbers, in order. It needn't be of unit
   * length. May block for as long as the model takes.
   *
   * @throws EmbedderException if they can't be made
   */
  List<float[]> embed(List<String> texts);

  /** Lets go of what the model needs. */
  @Override
  default void close() {}
}
