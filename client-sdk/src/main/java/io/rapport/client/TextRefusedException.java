package io.rapport.client;

/** What a {@link TextEmbedder} throws at a text that it can't embed, however often it tries. */
public class TextRefusedException extends Exception {
  private static final long serialVersionUID = 1L;

  /**
   * A refusal.
   *
   * @param message why, without the text; the service keeps its first 1,000 characters
   */
  public TextRefusedException(String message) {
    super(message);
  }
}
