package io.rapport.client;

import java.util.List;

/** Makes vectors of texts, for an {@link EmbeddingWorker}. */
@FunctionalInterface
public interface TextEmbedder {
  /**
   * The vector of each text, in order, with as many numbers as the model has; it needn't be of unit
   * length.
   *
   * @throws TextRefusedException if one of the texts can't be embedded, and never will be
   * @throws Exception if none can be for the moment; they are tried again
   */
  List<float[]> embed(List<String> texts) throws Exception;
}
