package io.rapport.demo;

import com.google.errorprone.annotations.FormatMethod;
import io.rapport.client.RapportClient;
import io.rapport.client.Search;
import io.rapport.client.SearchKind;
import io.rapport.importer.EventFile;
import io.rapport.search.v1.EmbeddingCoverage;
import io.rapport.search.v1.KindReport;
import io.rapport.search.v1.SearchHit;
import io.rapport.search.v1.SearchResponse;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;

/** The commits of real projects become what teams deliver, and are found by what they mean. */
final class SearchDemo {
  private static final String MODEL = "all-MiniLM-L6-v2-q@1";
  private static final int DIMENSIONS = 384;
  private static final String PROVIDER = "history";
  private static final int QUERIES = 500;
  private static final double INTERRUPTED_AT = 0.1;

  private static final List<SearchKind> KINDS =
      List.of(SearchKind.REPOSITORIES, SearchKind.PULL_REQUESTS, SearchKind.PULL_REQUEST_COMMITS);

  private static final List<String> QUESTIONS =
      List.of(
          "connections are not given back to the pool after an error",
          "make it faster by asking the database less often",
          "daylight saving time breaks a scheduled job",
          "memory grows without bound",
          "protect against SQL injection");

  private final DemoServer server;
  private final Path data;

  SearchDemo(DemoServer server, Path data) {
    this.server = server;
    this.data = data;
  }

  void tell() throws IOException, InterruptedException {
    List<Subject> subjects =
        EventFile.read(data, PROVIDER).stream()
            .map(Subject::of)
            .filter(it -> it.number() > 0) // a commit belongs to a pull request
            .toList();
    List<String> ids;
    try (RapportClient client = server.client()) {
      ids = deliver(client, subjects);
      KINDS.forEach(kind -> client.embeddings().start(kind.code(), MODEL, DIMENSIONS));
    }
    embed();
    try (RapportClient client = server.client()) {
      QUESTIONS.forEach(question -> ask(client, question));
      SearchHit best = top(client.search().text(QUESTIONS.getFirst()), 1).getHits(0);
      tell("What is like the best of the first", top(like(client, best), 5));
      tellQuality(client, subjects, ids);
    }
  }

  private static List<String> deliver(RapportClient client, List<Subject> subjects) {
    long start = System.nanoTime();
    List<String> ids = new DeliveredHistory(client).write(subjects);
    say(
        "%,d commits of %,d pull requests in %,d repositories, written in %.1f s.",
        subjects.size(),
        subjects.stream().map(Subject::pullRequest).distinct().count(),
        subjects.stream().map(Subject::repository).distinct().count(),
        seconds(start));
    return ids;
  }

  /** Waits for the server, which is stopped on the way: another goes on where it was. */
  private void embed() throws IOException, InterruptedException {
    long start = System.nanoTime();
    long all = 0;
    boolean interrupted = false;
    try (ProgressBar bar = bar()) {
      while (true) {
        long done = 0;
        try (RapportClient client = server.client()) {
          all = 0;
          for (EmbeddingCoverage each : coverage(client)) {
            all += each.getDocuments();
            done += each.getEmbedded();
          }
        }
        bar.maxHint(all).stepTo(done);
        if (done >= all && all > 0) {
          break;
        }
        if (!interrupted && done > INTERRUPTED_AT * all) {
          server.restart();
          interrupted = true;
        }
        TimeUnit.SECONDS.sleep(1);
      }
    }
    say(
        "%,d texts embedded by %s in %.0f s on %d processors%s.",
        all,
        MODEL,
        seconds(start),
        Runtime.getRuntime().availableProcessors(),
        interrupted ? ", though the server was stopped on the way" : "");
  }

  private static List<EmbeddingCoverage> coverage(RapportClient client) {
    return client
        .embeddings()
        .coverage(KINDS.stream().map(SearchKind::code).toArray(String[]::new));
  }

  private static ProgressBar bar() {
    return new ProgressBarBuilder().setTaskName("embed").setUpdateIntervalMillis(1000).build();
  }

  private static void ask(RapportClient client, String question) {
    tell("\"" + question + "\" by meaning", top(client.search().text(question), 5));
    tell("  and by meaning and words", top(client.search().textAndWords(question), 3));
  }

  private static Search like(RapportClient client, SearchHit hit) {
    return client.search().like(SearchKind.PULL_REQUEST_COMMITS, hit.getId());
  }

  private static SearchResponse top(Search search, int hits) {
    return search.in(SearchKind.PULL_REQUEST_COMMITS).withTexts().top(hits);
  }

  private static void tell(String title, SearchResponse found) {
    Optional<KindReport> report = found.getKindsList().stream().findFirst();
    say("%n%s (%s):", title, report.map(it -> it.getMode().name()).orElse("nowhere"));
    for (SearchHit hit : found.getHitsList()) {
      say("  %.3f  %s", hit.getScore(), hit.getText().lines().findFirst().orElse(""));
    }
  }

  private static void tellQuality(RapportClient client, List<Subject> subjects, List<String> ids) {
    say(
        "%nDo commits of the same pull request find each other by their subjects, of %,d that"
            + " say it in other words?",
        QUERIES);
    new SearchQuality(client, subjects, ids)
        .judge(QUERIES)
        .forEach((way, score) ->
            say("  %-7s recall@10 %.3f, MRR %.3f", way, score.recall(), score.reciprocalRank()));
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  @FormatMethod
  private static void say(String format, Object... arguments) {
    System.out.println(String.format(Locale.ROOT, format, arguments));
  }
}
