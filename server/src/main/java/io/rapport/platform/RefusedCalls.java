package io.rapport.platform;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;

/** Says which calls a transaction can't do, and why. It must be undone. */
public final class RefusedCalls extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Map<Integer, ServiceException> reasons;

  private RefusedCalls(Map<Integer, ServiceException> reasons) {
    super("refused", null, false, false);
    this.reasons = reasons;
  }

  /**
   * Does a part of each call's work.
   *
   * @throws RefusedCalls if that part of some calls throws a ServiceException
   */
  public static <C, T> List<T> each(List<C> calls, Function<C, T> part) {
    List<T> results = new ArrayList<>();
    Map<Integer, ServiceException> reasons = new HashMap<>();
    for (int i = 0; i < calls.size(); i++) {
      try {
        results.add(part.apply(calls.get(i)));
      } catch (ServiceException e) {
        reasons.put(i, e);
      }
    }
    if (!reasons.isEmpty()) {
      throw new RefusedCalls(reasons);
    }
    return results;
  }

  /**
   * Checks each call.
   *
   * @throws RefusedCalls if the check of some calls throws a ServiceException
   */
  public static <C> void require(List<C> calls, Consumer<C> check) {
    var _ =
        each(
            calls,
            call -> {
              check.accept(call);
              return call;
            });
  }

  /** Why, by the place of the call among those that were to be done. */
  Map<Integer, ServiceException> reasons() {
    return reasons;
  }
}
