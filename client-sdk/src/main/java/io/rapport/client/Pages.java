package io.rapport.client;

import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Spliterator;
import java.util.Spliterators.AbstractSpliterator;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/** The items of a paged list; a page is fetched when its first item is asked for. */
final class Pages<T> extends AbstractSpliterator<T> {
  /** One page of a list. */
  record Page<T>(List<T> items, String nextToken) {}

  private final Function<String, Page<T>> fetch;
  private Iterator<T> items = Collections.emptyIterator();
  private @Nullable String token;

  private Pages(String token, Function<String, Page<T>> fetch) {
    super(Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL);
    this.token = token;
    this.fetch = fetch;
  }

  static <T> Stream<T> stream(String firstToken, Function<String, Page<T>> fetch) {
    return StreamSupport.stream(new Pages<>(firstToken, fetch), false);
  }

  @Override
  public boolean tryAdvance(Consumer<? super T> action) {
    while (!items.hasNext()) {
      if (token == null) {
        return false;
      }
      Page<T> page = fetch.apply(token);
      items = page.items().iterator();
      token = page.nextToken().isEmpty() ? null : page.nextToken();
    }
    action.accept(items.next());
    return true;
  }
}
