package io.rapport.platform;

import com.google.protobuf.Message;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Function;

/** One page, as the caller asked for it, of what is listed by a name that is unique. */
public final class NamePage<T> {
  private final Caller.Tenant caller = Caller.currentTenant();
  private final Message arguments;
  private final Function<T, String> name;
  private final int size;
  private final String after;

  /**
   * @param arguments the request without what may differ from page to page
   * @param name never empty
   */
  public NamePage(Message arguments, int size, String token, Function<T, String> name) {
    this.arguments = arguments;
    this.name = name;
    this.size = PageTokens.size(size);
    this.after =
        PageTokens.decode(caller, arguments, token)
            .map(cursor -> new String(cursor, StandardCharsets.UTF_8))
            .orElse("");
  }

  /** The name that the page comes after; empty, and so before all names, for the first page. */
  public String after() {
    return after;
  }

  /** How many to look for: one more than the page has tells whether there is a next one. */
  public int limit() {
    return size + 1;
  }

  /** Those of what was found that are on the page, for which it has room. */
  public List<T> items(List<T> found) {
    return found.subList(0, PageRoom.count(found, size));
  }

  /** The token of the next page; empty if this is the last. */
  public String nextToken(List<T> found) {
    List<T> items = items(found);
    if (items.size() == found.size()) {
      return "";
    }
    byte[] last = name.apply(items.getLast()).getBytes(StandardCharsets.UTF_8);
    return PageTokens.encode(caller, arguments, last);
  }
}
