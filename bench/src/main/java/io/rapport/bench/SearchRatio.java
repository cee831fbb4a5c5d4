package io.rapport.bench;

import io.grpc.ManagedChannel;
import io.rapport.vectors.SentenceVectors;
import io.rapport.vectors.StoredVectors;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Searches a second for the ten nearest of 100,000 vectors, against the same by SQL over as many
 * connections, and against Lucene's HNSW in this process, each at no less recall than ours.
 */
final class SearchRatio implements Ratio {
  static final int IN_FLIGHT = 8;
  private static final int ROWS = 100_000;
  private static final int FEW_ROWS = 20_000;
  private static final double TARGET = 0.90;
  private static final double RECALL = 0.98;
  private static final List<Integer> EFFORTS = List.of(40, 60, 100, 200, 400, 1000);

  @Override
  public List<Result> measure(Site site, Samples samples, Settings settings) throws Exception {
    SentenceVectors vectors = vectors(settings);
    Tenants.Tenant tenant = site.makeTenants(1).getFirst();
    StoredVectors stored = new StoredVectors(site.admin(), vectors);
    stored.put(row -> tenant.id());
    VectorSearches searches = new VectorSearches(vectors, "");
    ManagedChannel channel = site.channel();
    try {
      VectorSearches.Quality quality = searches.quality(searches.finder(tenant.over(channel)));
      CacheLoad ours = load(site, "ours", searches.calls(tenant.over(channel)));
      ours.warmUp(settings.warmUp());
      int effort = effort(site, tenant.id(), searches, quality.recall());
      Pairs.Runs runs = pairs(site, settings, tenant.id(), searches, effort, ours);
      beside(vectors, searches, quality.recall(), ours, settings);
      underWrites(
          site,
          new VectorWriter(tenant.over(channel), stored, vectors),
          searches.calls(tenant.over(channel)),
          settings.span());
      return List.of(
          Result.ratio(
              "search_recall10", Spread.of(List.of(quality.recall())), RECALL, runs.steal()),
          Result.ratio("search_qps", runs.ratios(), TARGET, runs.steal()));
    } finally {
      channel.shutdownNow();
    }
  }

  static SentenceVectors vectors(Settings settings) throws Exception {
    @Nullable Path data = settings.data();
    int rows = settings.rows() < ROWS ? FEW_ROWS : ROWS;
    return data == null ? SentenceVectors.load(rows) : SentenceVectors.load(data, rows);
  }

  static CacheLoad load(Site site, String name, Supplier<CallLoad.Call> calls) {
    return new CacheLoad(site, name, new CallLoad(List.of(calls)), IN_FLIGHT);
  }

  /** The least effort of the peer with which it finds no less than we do. */
  private static int effort(Site site, UUID tenant, VectorSearches searches, double recall)
      throws Exception {
    for (int effort : EFFORTS) {
      try (SqlSearches sql =
          SqlSearches.byIndex(site, tenant, searches, effort, "relaxed_order", 1)) {
        double found = searches.quality(sql::find).recall();
        Report.say("  ours: recall@10 %.4f; peer, ef_search %d: %.4f", recall, effort, found);
        if (found >= recall - 0.0005) {
          return effort;
        }
      }
    }
    return EFFORTS.getLast();
  }

  private static Pairs.Runs pairs(
      Site site,
      Settings settings,
      UUID tenant,
      VectorSearches searches,
      int effort,
      CacheLoad ours)
      throws Exception {
    try (SqlSearches sql =
        SqlSearches.byIndex(site, tenant, searches, effort, "relaxed_order", IN_FLIGHT)) {
      CacheLoad peer = load(site, "SQL", sql.calls());
      peer.warmUp(settings.warmUp());
      Pairs.Runs runs =
          new Pairs(site, settings, "search_qps")
              .run(() -> ours.run(settings.span()), () -> peer.run(settings.span()));
      ours.tellLatencies(settings.span());
      peer.tellLatencies(settings.span());
      return runs;
    }
  }

  private static void underWrites(
      Site site, VectorWriter writer, Supplier<CallLoad.Call> calls, Duration span)
      throws Exception {
    Report.say("  vectors changed one by one: %.0f/s", writer.rate(1));
    Report.say("  vectors changed by hundreds: %.0f/s", writer.rate(100));
    try (VectorWriter.InStep writes = writer.new InStep()) {
      load(site, "ours, one write for nine searches", writes.count(calls)).tellLatencies(span);
      Report.say("  of all calls, %.1f %% were writes", writes.share());
    }
  }

  private static void beside(
      SentenceVectors vectors,
      VectorSearches searches,
      double recall,
      CacheLoad ours,
      Settings settings)
      throws Exception {
    try (LuceneVectors lucene = LuceneVectors.build(vectors)) {
      int effort = 10;
      double found = 0;
      for (int more : EFFORTS) {
        if (found < recall - 0.0005) {
          effort = more;
          int tried = more;
          found = searches.quality(question -> lucene.find(question, tried)).recall();
        }
      }
      CacheLoad peer = load(ours.site(), "Lucene", lucene.calls(effort));
      peer.warmUp(settings.warmUp());
      Run theirs = peer.run(settings.span());
      Run own = ours.run(settings.span());
      Report.say(
          "  Lucene in this process, %d candidates, recall@10 %.4f: %,.0f/s; ours %,.0f/s, ratio %.3f",
          effort, found, theirs.rate(), own.rate(), own.rate() / theirs.rate());
    }
  }
}
