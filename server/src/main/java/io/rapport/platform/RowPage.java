package io.rapport.platform;

import com.google.protobuf.MessageLite;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jooq.Cursor;
import org.jooq.Record;
import org.jooq.ResultQuery;

/**
 * A page of a list: as many as asked for, or fewer, so that neither the answer nor what is held for
 * it gets too large.
 *
 * @param more whether others follow
 */
public record RowPage<T extends MessageLite>(List<T> rows, boolean more) {
  private static final int FETCH_SIZE = 100;

  /**
   * Reads a page.
   *
   * @param query at least one row more than the page has; in a transaction, or all of them are held
   * @param size how many rows at most
   * @param show what is shown of a row, which decides how large the page gets
   */
  public static <R extends Record, T extends MessageLite> RowPage<T> read(
      ResultQuery<R> query, int size, Function<? super R, T> show) {
    List<T> rows = new ArrayList<>();
    int bytes = 0;
    try (Cursor<R> cursor = query.fetchSize(FETCH_SIZE).fetchLazy()) {
      for (R row : cursor) {
        T shown = show.apply(row);
        bytes += shown.getSerializedSize();
        if (rows.size() == size || (bytes > PageRoom.MAX_BYTES && !rows.isEmpty())) {
          return new RowPage<>(rows, true);
        }
        rows.add(shown);
      }
    }
    return new RowPage<>(rows, false);
  }
}
