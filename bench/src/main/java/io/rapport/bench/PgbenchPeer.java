package io.rapport.bench;

import java.time.Duration;
import java.util.List;

/** pgbench with the number of clients that is fastest here. */
record PgbenchPeer(Pgbench pgbench, int clients, Duration span) {
  private static final List<Integer> CLIENTS = List.of(8, 16, 32, 64);

  /** Finding the number warms the peer up as well. */
  static PgbenchPeer best(Pgbench pgbench, Settings settings) throws Exception {
    Duration each = settings.warmUp().dividedBy(CLIENTS.size());
    Duration span = each.toSeconds() < 1 ? Duration.ofSeconds(1) : each.plusSeconds(1);
    int best = CLIENTS.getFirst();
    double bestRate = 0;
    for (int clients : CLIENTS) {
      double rate = pgbench.run(clients, span).rate();
      Report.say("  peer with %d clients: %,.0f/s", clients, rate);
      if (rate > bestRate) {
        best = clients;
        bestRate = rate;
      }
    }
    return new PgbenchPeer(pgbench, best, settings.span());
  }

  Run run() throws Exception {
    return pgbench.run(clients, span);
  }
}
