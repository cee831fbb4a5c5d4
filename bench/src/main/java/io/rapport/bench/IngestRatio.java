package io.rapport.bench;

import io.rapport.client.EventWriter;
import io.rapport.client.IngestSummary;
import io.rapport.client.RapportClient;
import io.rapport.tracking.v1.Event;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Events a second through the SDK's writer, against binary COPY. With repeats, what counts on both
 * sides is the events that are stored.
 */
final class IngestRatio implements Ratio {
  private static final List<Integer> CHUNKS = List.of(2_000, 10_000, 50_000);
  private static final String TWO_CONNECTIONS = "ingest_stream_two_connections";
  private static final double TWO_CONNECTIONS_TARGET = 0.75;

  private final String name;
  private final double repeats;
  private final double target;

  private IngestRatio(String name, double repeats, double target) {
    this.name = name;
    this.repeats = repeats;
    this.target = target;
  }

  static IngestRatio stream() {
    return new IngestRatio("ingest_stream", 0, 1.0);
  }

  static IngestRatio repeating() {
    return new IngestRatio("ingest_dups", 0.01, 0.60);
  }

  @Override
  public List<Result> measure(Site site, Samples samples, Settings settings) throws Exception {
    try (RapportClient client = RapportClient.connect(site.target());
        Connection one = site.connectAsMigrator();
        Connection two = site.connectAsMigrator()) {
      Ours ours = new Ours(site, client, this::withRepeats);
      Supplier<List<Event>> rows = () -> samples.fresh(settings.rows());
      warmUp(settings.warmUp(), () -> ours.run(samples, rows.get()));
      Peer single = Peer.best(site, List.of(one), rows, settings.warmUp());
      tell(site, settings, single, rows.get());
      Pairs.Side side = () -> ours.run(samples, rows.get());
      List<Result> results = new ArrayList<>();
      Pairs.Runs runs = new Pairs(site, settings, name).run(side, () -> single.run(rows.get()));
      results.add(Result.ratio(name, runs.ratios(), target, runs.steal()));
      if (repeats == 0) {
        Peer both = single.over(List.of(one, two));
        results.add(againstTwo(new Pairs(site, settings, TWO_CONNECTIONS), side, both, rows));
      }
      return results;
    }
  }

  private List<Event> withRepeats(Samples samples, List<Event> events) {
    return repeats == 0 ? events : samples.withRepeats(events, repeats);
  }

  private void tell(Site site, Settings settings, Peer peer, List<Event> rows) throws Exception {
    List<CopyPeer.Chunk> chunks = peer.encode(rows);
    long bytes = chunks.stream().mapToLong(CopyPeer.Chunk::size).sum();
    Report.say(
        "  %,d rows of %,d bytes in COPY's format, %.0f %% of the events sent twice; ours: 1 stream,"
            + " %s database connections; peer: 1 connection, commits of %,d rows, encoded before"
            + " the clock starts; tables emptied and a checkpoint before each run; users linked"
            + " before",
        settings.rows(),
        bytes / settings.rows(),
        100 * repeats,
        site.setting("SELECT count(*) FROM pg_stat_activity WHERE usename = 'rapport_server'"),
        peer.chunkRows());
  }

  private static Result againstTwo(
      Pairs pairs, Pairs.Side ours, Peer peer, Supplier<List<Event>> rows) throws Exception {
    Report.say(" %s", TWO_CONNECTIONS);
    peer.run(rows.get());
    Pairs.Runs runs = pairs.run(ours, () -> peer.run(rows.get()));
    return Result.ratio(TWO_CONNECTIONS, runs.ratios(), TWO_CONNECTIONS_TARGET, runs.steal());
  }

  /** Repeats a side's run until it is warm. */
  private static void warmUp(Duration time, Pairs.Side side) throws Exception {
    long end = System.nanoTime() + time.toNanos();
    do {
      Report.say("  warming up: %,.0f/s", side.run().rate());
    } while (System.nanoTime() < end);
  }

  /** Adds what is sent twice. */
  private interface Repeats {
    List<Event> add(Samples samples, List<Event> events);
  }

  private record Ours(Site site, RapportClient client, Repeats repeats) {
    Run run(Samples samples, List<Event> rows) throws Exception {
      List<Event> sent = repeats.add(samples, rows);
      site.empty();
      Run run = Run.of(site, () -> write(sent));
      requireStored(rows.size());
      return run;
    }

    private long write(List<Event> events) {
      EventWriter writer = client.events().ingest();
      try (writer) {
        events.forEach(writer::write);
      }
      IngestSummary summary = writer.summary();
      if (summary.recorded() + summary.duplicate() != events.size()) {
        throw new IllegalStateException("not all events are in: " + summary);
      }
      return summary.recorded();
    }

    private void requireStored(long events) throws SQLException {
      long stored = site.number("SELECT count(*) FROM tracking.behavioral_events");
      long ids = site.number("SELECT count(*) FROM tracking.event_ids");
      if (stored != events || ids != events) {
        throw new IllegalStateException(
            "%d events and %d ids are stored, not %d".formatted(stored, ids, events));
      }
    }
  }

  private record Peer(Site site, List<Connection> connections, CopyPeer copy, int chunkRows) {
    /** With the size of commit that is fastest here; finding it warms the peer up as well. */
    static Peer best(
        Site site, List<Connection> connections, Supplier<List<Event>> rows, Duration warmUp)
        throws Exception {
      CopyPeer copy = CopyPeer.of(site.admin(), Site.DEVELOPMENT_TENANT);
      int best = CHUNKS.getFirst();
      double bestRate = 0;
      for (int chunkRows : CHUNKS) {
        Peer peer = new Peer(site, connections, copy, chunkRows);
        warmUp(warmUp.dividedBy(CHUNKS.size()), () -> peer.run(rows.get()));
        double rate = peer.run(rows.get()).rate();
        Report.say("  peer with commits of %,d rows: %,.0f/s", chunkRows, rate);
        if (rate > bestRate) {
          best = chunkRows;
          bestRate = rate;
        }
      }
      return new Peer(site, connections, copy, best);
    }

    Peer over(List<Connection> others) {
      return new Peer(site, others, copy, chunkRows);
    }

    List<CopyPeer.Chunk> encode(List<Event> rows) throws NoSuchAlgorithmException {
      return copy.encode(rows, chunkRows);
    }

    Run run(List<Event> rows) throws Exception {
      List<CopyPeer.Chunk> chunks = encode(rows);
      site.empty();
      return Run.of(
          site,
          () -> {
            CopyPeer.copy(connections, chunks);
            return rows.size();
          });
    }
  }
}
