package io.rapport.faults;

import io.rapport.bench.Report;
import io.rapport.client.RapportClient;
import io.rapport.client.RapportException;
import io.rapport.faults.ListedRows.Kind;
import io.rapport.identity.v1.ListSystemSettingsRequest;
import io.rapport.identity.v1.ListUsersRequest;
import io.rapport.identity.v1.SystemSetting;
import io.rapport.identity.v1.User;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventFilter;
import io.rapport.tracking.v1.EventTimeRange;
import io.rapport.tracking.v1.EventTimeRange.Clock;
import io.rapport.tracking.v1.ListEventsRequest;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * P21: reading a list page by page neither skips a row that was there when it began nor gives one
 * twice, whatever is written into it meanwhile. Control: pages by OFFSET.
 */
final class PagedLists implements Promise {
  private static final String ID = "P21";
  private static final int PAGE = 20;

  /** What a client takes to deal with a page. */
  private static final long PAGE_MILLIS = 5;

  private static final int WRITERS = 8;
  private static final int AT_FIRST = 300;
  private static final int BATCH = 20;
  private static final int LONG_MILLIS = 800;
  private static final long PAUSE_MILLIS = 100;
  private static final long PATIENCE = 120_000;

  /** A list in one of its orders. */
  private record Order(String name, Kind kind, Function<RapportClient, Stream<String>> walk) {}

  /** What many walks have found. */
  private static final class Found {
    private int walks;
    private int rows;
    private int skipped;
    private int repeated;

    /**
     * @param before what was there when the walk began
     * @return whether it was as it should be
     */
    private synchronized boolean add(List<String> before, List<String> walked) {
      Set<String> seen = new HashSet<>(walked);
      int missing = (int) before.stream().filter(row -> !seen.contains(row)).count();
      int twice = walked.size() - seen.size();
      walks++;
      rows += walked.size();
      skipped += missing;
      repeated += twice;
      return missing + twice == 0;
    }

    private synchronized int walks() {
      return walks;
    }

    private Verdict.Figures figures() {
      return Verdict.of(ID)
          .with("walks", walks)
          .with("rows", rows)
          .with("skipped", skipped)
          .with("repeated", repeated);
    }

    private boolean wrong() {
      return skipped + repeated > 0;
    }
  }

  @Override
  public List<Verdict> test(Run run) throws Exception {
    int millis = run.pick(15_000, 120_000);
    try (Victim victim = Victim.serving()) {
      UUID tenant = victim.newTenant();
      ListedRows rows = new ListedRows();
      try (RapportClient client = victim.client(tenant)) {
        rows.batch(client, AT_FIRST, run.random("first"));
      }
      AtomicBoolean done = new AtomicBoolean();
      Found paged = new Found();
      Found offset = new Found();
      List<CompletableFuture<Void>> work = new ArrayList<>();
      for (int i = 0; i < WRITERS; i++) {
        int number = i;
        work.add(Threads.start(() -> write(victim, tenant, number, run, rows, done)));
      }
      work.add(Threads.start(() -> walk(victim.client(tenant), orders(), rows, paged, done)));
      work.add(Threads.start(() -> walk(victim, tenant, rows, offset, done)));
      Threads.sleep(millis);
      Threads.await(PATIENCE, () -> paged.walks() >= orders().size());
      done.set(true);
      work.forEach(CompletableFuture::join);
      return List.of(
          figures(paged, rows).met(!paged.wrong() && paged.walks >= orders().size()),
          figures(offset, rows).failed(offset.wrong()));
    }
  }

  private static Verdict.Figures figures(Found found, ListedRows rows) {
    return found.figures().with("writers", WRITERS).with("written", rows.count());
  }

  /** Every list that more is written into, in each of its orders. */
  private static List<Order> orders() {
    List<Order> orders = new ArrayList<>();
    for (Clock clock : List.of(Clock.OCCURRED_AT, Clock.RECEIVED_AT, Clock.RECORDED_AT)) {
      for (var order :
          List.of(ListEventsRequest.Order.NEWEST_FIRST, ListEventsRequest.Order.OLDEST_FIRST)) {
        orders.add(
            new Order(
                "events by " + clock + " " + order, Kind.EVENT, it -> events(it, clock, order)));
      }
    }
    for (var order :
        List.of(ListUsersRequest.Order.NEWEST_FIRST, ListUsersRequest.Order.OLDEST_FIRST)) {
      orders.add(new Order("users " + order, Kind.USER, it -> users(it, order)));
    }
    orders.add(new Order("settings", Kind.SETTING, PagedLists::settings));
    return orders;
  }

  private static Stream<String> events(
      RapportClient client, Clock clock, ListEventsRequest.Order order) {
    return client
        .events()
        .list(
            ListEventsRequest.newBuilder()
                .setFilter(
                    EventFilter.newBuilder()
                        .addEventTypes(ListedRows.LISTED)
                        .setTime(EventTimeRange.newBuilder().setClock(clock)))
                .setOrder(order)
                .setPageSize(PAGE)
                .build())
        .map(Event::getId);
  }

  private static Stream<String> users(RapportClient client, ListUsersRequest.Order order) {
    return client
        .users()
        .list(ListUsersRequest.newBuilder().setOrder(order).setPageSize(PAGE).build())
        .map(User::getId);
  }

  private static Stream<String> settings(RapportClient client) {
    return client
        .settings()
        .list(
            ListSystemSettingsRequest.newBuilder()
                .setOrder(ListSystemSettingsRequest.Order.BY_KEY)
                .setPageSize(PAGE)
                .build())
        .map(SystemSetting::getId);
  }

  private static Boolean walk(
      RapportClient client, List<Order> orders, ListedRows rows, Found found, AtomicBoolean done) {
    try (client) {
      while (!done.get()) {
        Order order = orders.get(found.walks() % orders.size());
        List<String> before = rows.there(order.kind());
        try {
          if (!found.add(before, order.walk().apply(client).toList())) {
            Report.say("  wrong: %s", order.name());
          }
        } catch (RapportException busy) {
          Report.say("  not read: %s", busy);
        }
      }
      return true;
    }
  }

  /** The control: as a client would that only knows how many rows it has read. */
  private static Boolean walk(
      Victim victim, UUID tenant, ListedRows rows, Found found, AtomicBoolean done)
      throws SQLException {
    try (Connection connection = victim.connect();
        PreparedStatement page =
            connection.prepareStatement(
                """
                SELECT id FROM tracking.behavioral_events
                 WHERE tenant_id = ? AND event_type = ?
                 ORDER BY occurred_at DESC, id DESC LIMIT ? OFFSET ?
                """)) {
      page.setObject(1, tenant);
      page.setString(2, ListedRows.LISTED);
      page.setInt(3, PAGE);
      while (!done.get()) {
        List<String> before = rows.there(Kind.EVENT);
        var _ = found.add(before, offsetPages(page));
      }
      return true;
    }
  }

  private static List<String> offsetPages(PreparedStatement page) throws SQLException {
    List<String> walked = new ArrayList<>();
    for (int before = -1; walked.size() > before; ) {
      before = walked.size();
      page.setInt(4, before);
      try (ResultSet found = page.executeQuery()) {
        while (found.next()) {
          walked.add(String.valueOf(found.getString(1)));
        }
      }
      Threads.sleep(PAGE_MILLIS);
    }
    return walked;
  }

  private static Boolean write(
      Victim victim, UUID tenant, int number, Run run, ListedRows rows, AtomicBoolean done)
      throws Exception {
    Random random = run.random("writer " + number);
    try (RapportClient client = victim.client(tenant);
        Connection connection = victim.connect()) {
      while (!done.get()) {
        try {
          switch (number) {
            case 0 -> rows.batch(client, BATCH, random);
            case 1, 2 -> rows.slowly(connection, tenant, random.nextLong(LONG_MILLIS), random);
            default -> rows.one(client, random);
          }
        } catch (RapportException busy) {
          Report.say("  not written: %s", busy);
        }
        Threads.sleep(PAUSE_MILLIS);
      }
      return true;
    }
  }
}
