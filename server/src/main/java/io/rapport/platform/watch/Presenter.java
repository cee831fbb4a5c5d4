package io.rapport.platform.watch;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/** Makes a watch's messages of what is to be told. */
public interface Presenter<R> {
  /**
   * Makes messages of changes and gives them away one by one, in order.
   *
   * @param cursor the cursor of a message that ends with a change
   */
  void present(List<LoggedChange> changes, Function<LoggedChange, String> cursor, Consumer<R> out);

  /** A message without changes. */
  R checkpoint(String cursor, boolean initialStateDone);
}
