package io.rapport.bench;

import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.rapport.vectors.SentenceVectors;
import io.rapport.vectors.StoredVectors;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * The same vectors, of many tenants. The i-th has rows, and searches, in proportion to 1 / i. The
 * peer is the same by SQL, by the plan that PostgreSQL chooses.
 */
final class SearchTenantsRatio implements Ratio {
  private static final double TARGET = 0.90;
  private static final double RECALL = 0.95;

  private final int count;

  /**
   * @param count of tenants
   */
  SearchTenantsRatio(int count) {
    this.count = count;
  }

  @Override
  public List<Result> measure(Site site, Samples samples, Settings settings) throws Exception {
    SentenceVectors vectors = SearchRatio.vectors(settings);
    List<Tenants.Tenant> tenants = site.makeTenants(count);
    int[] owners = owners(vectors.rows(), count);
    new StoredVectors(site.admin(), vectors).put(row -> tenants.get(owners[row]).id());
    VectorSearches searches = new VectorSearches(vectors, "");
    ManagedChannel channel = site.channel();
    Supplier<UUID> anyone =
        () -> tenants.get(owners[ThreadLocalRandom.current().nextInt(owners.length)]).id();
    try (SqlSearches sql = SqlSearches.planned(site, anyone, vectors, SearchRatio.IN_FLIGHT)) {
      List<Channel> channels = tenants.stream().map(it -> it.over(channel)).toList();
      VectorSearches.Quality ours =
          quality(
              vectors,
              owners,
              (owner, question) -> searches.finder(channels.get(owner)).find(question));
      VectorSearches.Quality theirs =
          quality(
              vectors, owners, (owner, question) -> sql.find(tenants.get(owner).id(), question));
      Report.say(
          "  %,d tenants: recall@10 %.4f, %d of 200 answers short; peer %.4f, %d short",
          count, ours.recall(), ours.shortAnswers(), theirs.recall(), theirs.shortAnswers());
      CacheLoad own = SearchRatio.load(site, "ours", calls(searches, channels, owners));
      CacheLoad peer = SearchRatio.load(site, "SQL", sql.calls());
      own.warmUp(settings.warmUp());
      peer.warmUp(settings.warmUp());
      Pairs.Runs runs =
          new Pairs(site, settings, "search_tenants_" + count)
              .run(() -> own.run(settings.span()), () -> peer.run(settings.span()));
      own.tellLatencies(settings.span());
      peer.tellLatencies(settings.span());
      double recall = ours.shortAnswers() == 0 ? ours.recall() : 0;
      String name = "search_tenants_" + count;
      return List.of(
          Result.ratio(name + "_recall10", Spread.of(List.of(recall)), RECALL, runs.steal()),
          Result.ratio(name, runs.ratios(), TARGET, runs.steal()));
    } finally {
      channel.shutdownNow();
    }
  }

  /** Whose each row is: the same in each run, and without any order. */
  private static int[] owners(int rows, int tenants) {
    Zipf zipf = new Zipf(tenants, 1);
    Random random = new Random(1);
    return IntStream.range(0, rows).map(_ -> zipf.next(random)).toArray();
  }

  private interface Finder {
    List<Double> find(int owner, int question) throws Exception;
  }

  /** Each question is one of the owner of some row. */
  private static VectorSearches.Quality quality(
      SentenceVectors vectors, int[] owners, Finder finder) throws Exception {
    return VectorSearches.quality(
        vectors,
        question -> finder.find(owners[question], question),
        question -> row -> owners[row] == owners[question]);
  }

  private static Supplier<CallLoad.Call> calls(
      VectorSearches searches, List<Channel> channels, int[] owners) {
    int[] rows = new int[channels.size()];
    for (int owner : owners) {
      rows[owner]++;
    }
    List<Supplier<CallLoad.Call>> each =
        IntStream.range(0, rows.length)
            .mapToObj(
                i -> searches.calls(channels.get(i), Math.min(rows[i], VectorSearches.NEIGHBOURS)))
            .toList();
    return () -> each.get(owners[ThreadLocalRandom.current().nextInt(owners.length)]).get();
  }
}
