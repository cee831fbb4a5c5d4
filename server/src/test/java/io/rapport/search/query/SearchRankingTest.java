package io.rapport.search.query;

import static io.rapport.search.query.GivenVectors.MODEL;
import static io.rapport.search.query.GivenVectors.SETTINGS;
import static io.rapport.search.query.GivenVectors.USERS;
import static io.rapport.search.query.GivenVectors.at;
import static io.rapport.search.query.GivenVectors.axis;
import static io.rapport.search.query.GivenVectors.ids;
import static io.rapport.search.query.GivenVectors.in;
import static io.rapport.search.query.GivenVectors.query;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.rapport.identity.v1.SystemSetting;
import io.rapport.identity.v1.SystemSettingFilter;
import io.rapport.identity.v1.User;
import io.rapport.platform.v1.TextFilter;
import io.rapport.search.v1.BatchSearchRequest;
import io.rapport.search.v1.BatchSearchResponse;
import io.rapport.search.v1.CountMatchesRequest;
import io.rapport.search.v1.CountMatchesResponse;
import io.rapport.search.v1.EntityFilter;
import io.rapport.search.v1.ExamplesQuery;
import io.rapport.search.v1.FacetCounts;
import io.rapport.search.v1.HybridQuery;
import io.rapport.search.v1.KindReport.Mode;
import io.rapport.search.v1.SearchDiversity;
import io.rapport.search.v1.SearchExample;
import io.rapport.search.v1.SearchFacet;
import io.rapport.search.v1.SearchGrouping;
import io.rapport.search.v1.SearchHit;
import io.rapport.search.v1.SearchRequest;
import io.rapport.search.v1.SearchResponse;
import io.rapport.search.v1.SearchSource;
import io.rapport.search.v1.Shortfall.Cause;
import io.rapport.search.v1.StoredQuery;
import io.rapport.search.v1.WordsQuery;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What decides which hits come first, beside the cosine; and counting. */
class SearchRankingTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private final GivenVectors given = new GivenVectors(rapport);

  private static SearchRequest.Builder near(int axis) {
    return SearchRequest.newBuilder().setVector(query(axis(axis))).addSources(in(SETTINGS));
  }

  private static SearchRequest.Builder words(String words) {
    return SearchRequest.newBuilder()
        .setWords(WordsQuery.newBuilder().setWords(words))
        .addSources(in(SETTINGS));
  }

  private static SearchExample stored(String id) {
    return SearchExample.newBuilder()
        .setStored(StoredQuery.newBuilder().setKind(SETTINGS).setId(id))
        .build();
  }

  @Test
  void goesFromTheNegativeToThePositiveExamples() {
    given.activate(SETTINGS, MODEL);
    String liked = given.setting("liked", "x").getId();
    String disliked = given.setting("disliked", "x").getId();
    String both = given.setting("both", "x").getId();
    String only = given.setting("only", "x").getId();
    given.embed(SETTINGS, liked, axis(0));
    given.embed(SETTINGS, disliked, axis(1));
    given.embed(SETTINGS, both, at(0.8, 1));
    given.embed(SETTINGS, only, at(0.6, 2));

    SearchResponse response =
        given
            .search()
            .search(
                SearchRequest.newBuilder()
                    .setExamples(
                        ExamplesQuery.newBuilder()
                            .addPositive(stored(liked))
                            .addNegative(stored(disliked)))
                    .addSources(in(SETTINGS))
                    .build());

    assertThat(ids(response)).containsExactly(only, both);
    assertThat(response.getHits(0).getScore()).isCloseTo(0.6 / Math.sqrt(2), within(0.001));
    assertThat(response.getHits(1).getScore()).isCloseTo(0.2 / Math.sqrt(2), within(0.001));
  }

  @Test
  void findsWordsByTheirStems() {
    String near = given.setting("a", "The deployment failed because the cache failed").getId();
    String far =
        given.setting("b", "A cache of many things, none of which was ever deployed").getId();
    given.setting("c", "deployments and quotas");

    SearchResponse both = given.search().search(words("cache deployment").build());

    assertThat(ids(both)).containsExactlyInAnyOrder(near, far);
    assertThat(both.getHits(0).getScore()).isBetween(0.0, 1.0).isPositive();
    assertThat(both.getHits(0).getScore()).isGreaterThan(both.getHits(1).getScore());
    assertThat(both.getKinds(0).getMode()).isEqualTo(Mode.WORDS);
    assertThat(both.getKinds(0).getMatching()).isEqualTo(2);
    assertThat(ids(given.search().search(words("cache -failing").build()))).containsExactly(far);
    assertThat(ids(given.search().search(words("\"deployment failed\"").build())))
        .containsExactly(near);
    assertThat(given.search().search(words("zebra or quotas").build()).getHitsCount()).isEqualTo(1);
  }

  @Test
  void pagesThroughWords() {
    List<String> all = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      all.add(given.setting("w" + i, "needle " + "hay ".repeat(i)).getId());
    }
    List<String> seen = new ArrayList<>();
    String token = "";
    do {
      SearchResponse page =
          given.search().search(words("needle").setLimit(3).setPageToken(token).build());
      seen.addAll(ids(page));
      token = page.getNextPageToken();
    } while (!token.isEmpty());

    assertThat(seen).isEqualTo(all);
  }

  @Test
  void joinsRanksOfBothLegs() {
    given.activate(SETTINGS, MODEL);
    String first = given.setting("first", "apples").getId();
    String both = given.setting("both", "pears and pears").getId();
    String last = given.setting("last", "pears, and a great many other things that aren't").getId();
    given.embed(SETTINGS, first, at(0.9, 1));
    given.embed(SETTINGS, both, at(0.5, 2));

    SearchResponse response =
        given
            .search()
            .search(
                SearchRequest.newBuilder()
                    .setHybrid(
                        HybridQuery.newBuilder()
                            .setVector(query(axis(0)))
                            .setWords(WordsQuery.newBuilder().setWords("pears"))
                            .setWordsWeight(2))
                    .addSources(in(SETTINGS))
                    .build());

    assertThat(ids(response)).containsExactly(both, last, first);
    assertThat(response.getHits(0).getScore()).isEqualTo(1 / 62.0 + 2 / 61.0);
    assertThat(response.getHits(1).getScore()).isEqualTo(2 / 62.0);
    assertThat(response.getHits(2).getScore()).isEqualTo(1 / 61.0);
    assertThat(response.getHitsList())
        .extracting(SearchHit::getMeaningRank)
        .containsExactly(2, 0, 1);
    assertThat(response.getHitsList()).extracting(SearchHit::getWordsRank).containsExactly(1, 2, 0);
  }

  @Test
  void letsEachGroupHaveSoMany() {
    given.activate(SETTINGS, MODEL);
    String one = given.settingAt("s1", 0.9);
    given.settingAt("s2", 0.8);
    String number = given.settingAt("i1", 0.7, SystemSetting.Type.INTEGER);
    String flag = given.settingAt("b1", 0.6, SystemSetting.Type.BOOLEAN);
    SearchGrouping byType = SearchGrouping.newBuilder().setField("setting_type").build();

    SearchResponse response = given.search().search(near(0).setGrouping(byType).build());

    assertThat(ids(response)).containsExactly(one, number, flag);
    assertThat(response.getHitsList())
        .extracting(SearchHit::getGroup)
        .containsExactly("STRING", "INTEGER", "BOOLEAN");
    assertThat(response.getKinds(0).getShortfallsList())
        .extracting(it -> it.getCause())
        .containsExactly(Cause.GROUPED);
    assertThat(
            given
                .search()
                .search(near(0).setGrouping(byType.toBuilder().setSize(2)).setLimit(3).build())
                .getHitsList())
        .extracting(SearchHit::getGroup)
        .containsExactly("STRING", "STRING", "INTEGER");
  }

  @Test
  void prefersHitsThatDiffer() {
    given.activate(SETTINGS, MODEL);
    String best = given.setting("best", "x").getId();
    String same = given.setting("same", "x").getId();
    String other = given.setting("other", "x").getId();
    given.embed(SETTINGS, best, at(0.9, 1));
    given.embed(SETTINGS, same, at(0.89, 1));
    given.embed(SETTINGS, other, at(0.7, 2));

    SearchRequest.Builder two = near(0).setLimit(2);
    SearchDiversity half = SearchDiversity.getDefaultInstance();
    SearchDiversity relevant = SearchDiversity.newBuilder().setLambda(1).build();

    assertThat(ids(given.search().search(two.build()))).containsExactly(best, same);
    // 0.5 * 0.89 - 0.5 * 1.00 is less than 0.5 * 0.7 - 0.5 * 0.63.
    assertThat(ids(given.search().search(two.setDiversity(half).build())))
        .containsExactly(best, other);
    assertThat(ids(given.search().search(two.setDiversity(relevant).build())))
        .containsExactly(best, same);
  }

  @Test
  void givesEachKindItsQuota() {
    given.activate(SETTINGS, MODEL);
    given.activate(USERS, MODEL);
    String first = given.settingAt("a", 0.9);
    given.settingAt("b", 0.8);
    String user =
        rapport
            .client()
            .users()
            .create(
                User.newBuilder()
                    .setEmail("ada@example.org")
                    .setFirstName("A")
                    .setLastName("B")
                    .build())
            .getId();
    given.embed(USERS, user, at(0.5, 3));

    SearchRequest both =
        SearchRequest.newBuilder()
            .setVector(query(axis(0)))
            .addSources(SearchSource.newBuilder().setKind(SETTINGS).setQuota(1))
            .addSources(in(USERS))
            .build();
    SearchResponse response = given.search().search(both);
    SearchResponse diverse =
        given
            .search()
            .search(both.toBuilder().setDiversity(SearchDiversity.getDefaultInstance()).build());

    assertThat(ids(response)).containsExactly(first, user);
    assertThat(ids(diverse)).containsExactly(first, user);
  }

  @Test
  void countsValuesOfWhatPasses() {
    given.activate(SETTINGS, MODEL);
    given.settingAt("a.x", 0.9);
    given.settingAt("a.y", 0.8);
    given.settingAt("a.z", 0.7, SystemSetting.Type.INTEGER);
    given.setting("a.w", "without a vector", SystemSetting.Type.JSON);
    given.settingAt("b.x", 0.6, SystemSetting.Type.BOOLEAN);
    SearchSource source =
        SearchSource.newBuilder()
            .setKind(SETTINGS)
            .setFilter(
                EntityFilter.newBuilder()
                    .setSystemSetting(
                        SystemSettingFilter.newBuilder()
                            .setSettingKey(TextFilter.newBuilder().setPrefix("a."))))
            .build();
    SearchFacet types = SearchFacet.newBuilder().setField("setting_type").setLimit(2).build();

    CountMatchesResponse counted =
        given
            .search()
            .countMatches(
                CountMatchesRequest.newBuilder().addSources(source).addFacets(types).build());

    assertThat(counted.getTotal()).isEqualTo(4);
    assertThat(counted.getKinds(0).getEmbedded()).isEqualTo(3);
    FacetCounts values = counted.getFacets(0);
    assertThat(values.getValuesList())
        .extracting(FacetCounts.Value::getValue, FacetCounts.Value::getCount)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple("STRING", 2L),
            org.assertj.core.groups.Tuple.tuple("INTEGER", 1L));
    assertThat(values.getOthers()).isEqualTo(1);
    assertThat(
            given
                .search()
                .search(near(0).clearSources().addSources(source).addFacets(types).build())
                .getFacetsList())
        .containsExactly(values);
    assertThat(
            given
                .search()
                .countMatches(
                    CountMatchesRequest.newBuilder().setWords("vector").addSources(source).build())
                .getTotal())
        .isEqualTo(1);
  }

  @Test
  void doesEachSearchOfABatchByItself() {
    given.activate(SETTINGS, MODEL);
    String id = given.settingAt("alpha", 0.9);

    BatchSearchResponse response =
        given
            .search()
            .batchSearch(
                BatchSearchRequest.newBuilder()
                    .addSearches(near(0))
                    .addSearches(near(0).clearSources().addSources(in("no.kind")))
                    .addSearches(near(0).setLimit(5000))
                    .addSearches(words("alpha"))
                    .build());

    assertThat(ids(response.getResults(0).getResponse())).containsExactly(id);
    assertThat(response.getResults(1).getError().getMessage()).startsWith("sources[0].kind:");
    assertThat(new Told(response.getResults(2).getError()).fields()).containsExactly("limit");
    assertThat(ids(response.getResults(3).getResponse())).containsExactly(id);
  }
}
