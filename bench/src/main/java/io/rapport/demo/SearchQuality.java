package io.rapport.demo;

import io.rapport.client.RapportClient;
import io.rapport.client.Search;
import io.rapport.client.SearchKind;
import io.rapport.search.v1.HybridQuery;
import io.rapport.search.v1.SearchHit;
import io.rapport.search.v1.SearchRequest;
import io.rapport.search.v1.TextQuery;
import io.rapport.search.v1.WordsQuery;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Judges searches by what needs no labels: commits of one pull request say something alike, and so
 * should find each other by their subjects. Those of the same words find each other anyway, and are
 * not counted.
 */
final class SearchQuality {
  /** Pull requests with more commits are collections of all sorts of things. */
  private static final int MOST_COMMITS = 10;

  private static final int TOP = 10;
  private static final Pattern NO_WORD = Pattern.compile("[^\\p{L}\\p{N}]+");

  private final RapportClient client;
  private final List<Subject> subjects;
  private final List<String> ids;
  private final Map<String, String> texts = new HashMap<>();

  /** How well one way to search does. */
  record Score(double recall, double reciprocalRank) {}

  SearchQuality(RapportClient client, List<Subject> subjects, List<String> ids) {
    this.client = client;
    this.subjects = subjects;
    this.ids = ids;
    for (int i = 0; i < ids.size(); i++) {
      texts.put(ids.get(i), subjects.get(i).text());
    }
  }

  /** The scores of each way to search, of so many commits. */
  Map<String, Score> judge(int queries) {
    Map<Integer, Set<String>> wanted = wanted(queries);
    Map<String, Score> scores = new TreeMap<>();
    scores.put("vector", judge(wanted, it -> client.search().text(it)));
    scores.put("words", judge(wanted, it -> client.search().words(anyOf(it))));
    scores.put("hybrid", judge(wanted, this::hybrid));
    return scores;
  }

  private Search hybrid(String text) {
    return client
        .search()
        .of(
            SearchRequest.newBuilder()
                .setHybrid(
                    HybridQuery.newBuilder()
                        .setText(TextQuery.newBuilder().setText(text))
                        .setWords(WordsQuery.newBuilder().setWords(anyOf(text))))
                .build());
  }

  private static String anyOf(String text) {
    return String.join(" or ", NO_WORD.split(text.strip()));
  }

  /** Commits, and the ids of those that each should find. */
  private Map<Integer, Set<String>> wanted(int queries) {
    Map<String, List<Integer>> groups = new HashMap<>();
    for (int i = 0; i < subjects.size(); i++) {
      groups.computeIfAbsent(subjects.get(i).pullRequest(), name -> new ArrayList<>()).add(i);
    }
    Map<Integer, Set<String>> wanted = new TreeMap<>();
    for (List<Integer> group : groups.values()) {
      for (int i : group) {
        Set<String> others =
            group.stream()
                .filter(j -> !subjects.get(j).text().equalsIgnoreCase(subjects.get(i).text()))
                .map(ids::get)
                .collect(Collectors.toSet());
        if (!others.isEmpty() && group.size() <= MOST_COMMITS && hasWords(subjects.get(i))) {
          wanted.put(i, others);
        }
      }
    }
    List<Integer> drawn = new ArrayList<>(wanted.keySet());
    Collections.shuffle(drawn, new Random(1));
    wanted.keySet().retainAll(Set.copyOf(drawn.subList(0, Math.min(queries, drawn.size()))));
    return wanted;
  }

  private static boolean hasWords(Subject subject) {
    return NO_WORD.splitAsStream(subject.text()).filter(it -> it.length() > 3).count() >= 2;
  }

  private Score judge(Map<Integer, Set<String>> wanted, Function<String, Search> search) {
    double recall = 0;
    double reciprocalRank = 0;
    for (var each : wanted.entrySet()) {
      Subject asked = subjects.get(each.getKey());
      List<String> found =
          search
              .apply(asked.text())
              .in(SearchKind.PULL_REQUEST_COMMITS)
              .top(TOP + MOST_COMMITS)
              .getHitsList()
              .stream()
              .map(SearchHit::getId)
              .filter(id -> !isTheSame(id, asked))
              .limit(TOP)
              .toList();
      Set<String> others = each.getValue();
      recall +=
          (double) found.stream().filter(others::contains).count() / Math.min(TOP, others.size());
      reciprocalRank +=
          found.stream()
              .filter(others::contains)
              .findFirst()
              .map(it -> 1.0 / (found.indexOf(it) + 1))
              .orElse(0.0);
    }
    return new Score(recall / wanted.size(), reciprocalRank / wanted.size());
  }

  private boolean isTheSame(String id, Subject asked) {
    return asked.text().equalsIgnoreCase(texts.get(id));
  }
}
