package io.rapport.bench;

import io.grpc.ManagedChannel;
import io.rapport.vectors.SentenceVectors;
import io.rapport.vectors.StoredVectors;
import java.util.ArrayList;
import java.util.List;

/**
 * The same searches under a filter. One that lets 0.1 % pass is measured against the index with
 * iterative scan in strict order, as applications ask it; one of 1 % against the best plain SQL,
 * which compares one by one.
 */
final class NarrowSearchRatio implements Ratio {
  private static final double TIMES_ITERATIVE = 10;
  private static final double OF_PLAIN_SQL = 0.9;
  private static final double RECALL = 0.99;
  private static final String ONE_IN_1000 = "JSON";
  private static final String ONE_IN_100 = "DECIMAL";

  @Override
  public List<Result> measure(Site site, Samples samples, Settings settings) throws Exception {
    SentenceVectors vectors = SearchRatio.vectors(settings);
    Tenants.Tenant tenant = site.makeTenants(1).getFirst();
    new StoredVectors(site.admin(), vectors).put(row -> tenant.id());
    ManagedChannel channel = site.channel();
    List<Result> results = new ArrayList<>();
    try {
      VectorSearches narrow = new VectorSearches(vectors, ONE_IN_1000);
      VectorSearches.Quality quality = narrow.quality(narrow.finder(tenant.over(channel)));
      Report.say("  0.1 %%: %d short answers", quality.shortAnswers());
      try (SqlSearches peer =
          SqlSearches.byIndex(
              site,
              tenant.id(),
              narrow,
              SqlSearches.USUAL_EFFORT,
              "strict_order",
              SearchRatio.IN_FLIGHT)) {
        Report.say("  0.1 %%, peer: recall@10 %.4f", narrow.quality(peer::find).recall());
        Pairs.Runs runs = pairs(site, settings, narrow, tenant, channel, peer);
        double recall = quality.shortAnswers() == 0 ? quality.recall() : 0;
        results.add(
            Result.ratio(
                "search_narrow_recall10", Spread.of(List.of(recall)), RECALL, runs.steal()));
        results.add(Result.ratio("search_narrow", runs.ratios(), TIMES_ITERATIVE, runs.steal()));
      }
      VectorSearches wider = new VectorSearches(vectors, ONE_IN_100);
      try (SqlSearches peer = SqlSearches.exact(site, tenant.id(), wider, SearchRatio.IN_FLIGHT)) {
        Pairs.Runs runs = pairs(site, settings, wider, tenant, channel, peer);
        results.add(Result.ratio("search_narrow_plain", runs.ratios(), OF_PLAIN_SQL, runs.steal()));
      }
      return results;
    } finally {
      channel.shutdownNow();
    }
  }

  private static Pairs.Runs pairs(
      Site site,
      Settings settings,
      VectorSearches searches,
      Tenants.Tenant tenant,
      ManagedChannel channel,
      SqlSearches sql)
      throws Exception {
    CacheLoad ours = SearchRatio.load(site, "ours", searches.calls(tenant.over(channel)));
    CacheLoad peer = SearchRatio.load(site, "SQL", sql.calls());
    ours.warmUp(settings.warmUp());
    peer.warmUp(settings.warmUp());
    Pairs.Runs runs =
        new Pairs(site, settings, "search_narrow")
            .run(() -> ours.run(settings.span()), () -> peer.run(settings.span()));
    ours.tellLatencies(settings.span());
    peer.tellLatencies(settings.span());
    return runs;
  }
}
