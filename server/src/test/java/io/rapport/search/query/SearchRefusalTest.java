package io.rapport.search.query;

import static io.rapport.search.query.GivenVectors.MODEL;
import static io.rapport.search.query.GivenVectors.SETTINGS;
import static io.rapport.search.query.GivenVectors.USERS;
import static io.rapport.search.query.GivenVectors.axis;
import static io.rapport.search.query.GivenVectors.ids;
import static io.rapport.search.query.GivenVectors.in;
import static io.rapport.search.query.GivenVectors.query;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.FieldMask;
import com.google.rpc.Code;
import io.rapport.client.RapportClient;
import io.rapport.identity.v1.SignInFilter;
import io.rapport.identity.v1.SystemSetting;
import io.rapport.identity.v1.SystemSettingFilter;
import io.rapport.search.v1.EntityFilter;
import io.rapport.search.v1.ExamplesQuery;
import io.rapport.search.v1.HybridQuery;
import io.rapport.search.v1.KindReport;
import io.rapport.search.v1.RelatedFilter;
import io.rapport.search.v1.SearchDiversity;
import io.rapport.search.v1.SearchExample;
import io.rapport.search.v1.SearchFacet;
import io.rapport.search.v1.SearchGrouping;
import io.rapport.search.v1.SearchRequest;
import io.rapport.search.v1.SearchResponse;
import io.rapport.search.v1.SearchServiceGrpc;
import io.rapport.search.v1.SearchSource;
import io.rapport.search.v1.Shortfall.Cause;
import io.rapport.search.v1.StoredQuery;
import io.rapport.search.v1.TextQuery;
import io.rapport.search.v1.VectorQuery;
import io.rapport.search.v1.WordsQuery;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What searches are refused, and with which words; and what callers may see. */
class SearchRefusalTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final EntityFilter SETTING_FILTER =
      EntityFilter.newBuilder().setSystemSetting(SystemSettingFilter.getDefaultInstance()).build();

  private final GivenVectors given = new GivenVectors(rapport);

  private static SearchRequest.Builder near() {
    return SearchRequest.newBuilder().setVector(query(axis(0)));
  }

  private void refusesField(SearchRequest.Builder request, String path) {
    Told told = Told.by(() -> given.search().search(request.build()));

    assertThat(told.code()).as(path).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.reason()).as(path).isEqualTo("INVALID_FIELD");
    assertThat(told.fields()).containsExactly(path);
  }

  @Test
  void refusesVectorsThatAreNone() {
    VectorQuery good = query(axis(0));

    refusesField(
        SearchRequest.newBuilder().setVector(VectorQuery.newBuilder().setModel(MODEL).addValues(1)),
        "vector.values");
    refusesField(
        SearchRequest.newBuilder().setVector(good.toBuilder().setValues(7, Float.NaN)),
        "vector.values[7]");
    refusesField(
        SearchRequest.newBuilder().setVector(good.toBuilder().setValues(0, 0)), "vector.values");
    refusesField(
        SearchRequest.newBuilder().setVector(good.toBuilder().setModel("")), "vector.model");
    refusesField(
        SearchRequest.newBuilder()
            .setExamples(
                ExamplesQuery.newBuilder()
                    .addPositive(SearchExample.newBuilder().setVector(good))
                    .addNegative(SearchExample.newBuilder().setVector(good))),
        "examples");
    refusesField(
        SearchRequest.newBuilder()
            .setExamples(
                ExamplesQuery.newBuilder()
                    .addPositive(SearchExample.newBuilder().setVector(good))
                    .addNegative(
                        SearchExample.newBuilder().setVector(good.toBuilder().setModel("x")))),
        "examples.negative[0]");
  }

  @Test
  void refusesPlacesThatAreNone() {
    refusesField(near().addSources(in("no.kind")), "sources[0].kind");
    refusesField(near().addSources(in(USERS)).addSources(in(USERS)), "sources[1].kind");
    refusesField(
        near().addSources(SearchSource.newBuilder().setKind(USERS).setFilter(SETTING_FILTER)),
        "sources[0].filter");
    refusesField(
        near()
            .addSources(
                SearchSource.newBuilder()
                    .setKind(USERS)
                    .setReadMask(FieldMask.newBuilder().addPaths("shoe_size"))),
        "sources[0].read_mask.paths[0]");
    refusesField(
        near().addSources(related(SETTINGS, RelatedFilter.newBuilder().setFilter(SETTING_FILTER))),
        "sources[0].related[0].filter");
    EntityFilter signIns =
        EntityFilter.newBuilder().setSignIn(SignInFilter.getDefaultInstance()).build();
    refusesField(
        near()
            .addSources(
                related(USERS, RelatedFilter.newBuilder().setFilter(signIns).setBy("shoe_size"))),
        "sources[0].related[0].by");
  }

  private static SearchSource related(String kind, RelatedFilter.Builder related) {
    return SearchSource.newBuilder().setKind(kind).addRelated(related).build();
  }

  @Test
  void refusesWhatDoesNotGoTogether() {
    SearchRequest.Builder words =
        SearchRequest.newBuilder().setWords(WordsQuery.newBuilder().setWords("cache"));

    refusesField(words.clone().setMinScore(0.5), "min_score");
    refusesField(
        SearchRequest.newBuilder().setText(TextQuery.newBuilder().setText("  ")), "text.text");
    refusesField(
        SearchRequest.newBuilder()
            .setHybrid(
                HybridQuery.newBuilder()
                    .setWords(WordsQuery.newBuilder().setWords("cache"))
                    .setMeaningWeight(0)
                    .setWordsWeight(0)),
        "hybrid.words_weight");
    refusesField(words.clone().setDiversity(SearchDiversity.getDefaultInstance()), "diversity");
    refusesField(
        SearchRequest.newBuilder().setWords(WordsQuery.newBuilder().setWords("the")),
        "words.words");
    refusesField(near().setLimit(101).setIncludeText(true), "limit");
    refusesField(near().setLimit(1001), "limit");
    refusesField(near().setEffort(1001), "effort");
    refusesField(
        near().addFacets(SearchFacet.newBuilder().setField("shoe_size")), "facets[0].field");
    refusesField(
        near()
            .addSources(in(SETTINGS))
            .setGrouping(SearchGrouping.newBuilder().setField("shoe_size")),
        "grouping.field");
    refusesField(
        near().setDiversity(SearchDiversity.getDefaultInstance()).setPageToken("x"), "page_token");
  }

  @Test
  void refusesATokenOfAnotherSearch() {
    given.activate(SETTINGS, MODEL);
    given.settingAt("a", 0.9);
    given.settingAt("b", 0.8);
    SearchRequest first = near().addSources(in(SETTINGS)).setLimit(1).build();
    String token = given.search().search(first).getNextPageToken();

    Told told =
        Told.by(() ->
            given.search().search(first.toBuilder().setExact(true).setPageToken(token).build()));

    assertThat(told.reason()).isEqualTo("PAGE_TOKEN_MISMATCH");
  }

  @Test
  void saysWhenThereIsNoVectorToSearchBy() {
    given.activate(SETTINGS, "unknown-model");
    String bare = given.setting("bare", "without a vector").getId();

    Told text =
        Told.by(() ->
            given
                .search()
                .search(
                    SearchRequest.newBuilder()
                        .setText(TextQuery.newBuilder().setText("something"))
                        .addSources(in(SETTINGS))
                        .build()));
    Told stored = Told.by(() -> given.search().search(like(bare)));
    Told absent = Told.by(() -> given.search().search(like(Given.id())));

    assertThat(text.code()).isEqualTo(Code.FAILED_PRECONDITION);
    assertThat(text.reason()).isEqualTo("QUERY_NOT_EMBEDDED");
    assertThat(text.metadata()).containsEntry("models", "unknown-model");
    assertThat(stored.reason()).isEqualTo("QUERY_NOT_EMBEDDED");
    assertThat(absent.reason()).isEqualTo("RESOURCE_NOT_FOUND");
  }

  private static SearchRequest like(String id) {
    return SearchRequest.newBuilder()
        .setStored(StoredQuery.newBuilder().setKind(SETTINGS).setId(id))
        .build();
  }

  @Test
  void showsOnlyKindsThatTheCallerMayRead() {
    given.activate(SETTINGS, MODEL);
    given.settingAt("secret", 0.9);
    var search =
        SearchServiceGrpc.newBlockingStub(
            rapport.channel(rapport.tokens().of(rapport.tenant(), "search.read monitoring.read")));

    Told named = Told.by(() -> search.search(near().addSources(in(SETTINGS)).build()));
    Told stored = Told.by(() -> search.search(like(Given.id())));
    SearchResponse all = search.search(near().build());

    assertThat(named.code()).isEqualTo(Code.PERMISSION_DENIED);
    assertThat(named.metadata()).containsEntry("right", "identity.read");
    assertThat(stored.code()).isEqualTo(Code.PERMISSION_DENIED);
    assertThat(all.getHitsList()).isEmpty();
    assertThat(all.getKindsList())
        .filteredOn(it -> it.getKind().equals(SETTINGS))
        .flatExtracting(KindReport::getShortfallsList)
        .extracting(it -> it.getCause())
        .containsExactly(Cause.RIGHT_MISSING);
  }

  @Test
  void knowsEveryKindThatHasTexts() {
    List<String> attached =
        rapport
            .sql()
            .fetch(
                "SELECT split_part(pg_get_expr(c.relpartbound, c.oid), '''', 2) AS kind"
                    + " FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
                    + " WHERE i.inhparent = 'search.documents'::regclass")
            .getValues("kind", String.class);

    assertThat(given.search().search(near().build()).getKindsList())
        .extracting(KindReport::getKind)
        .containsExactlyInAnyOrderElementsOf(attached);
  }

  @Test
  void showsNothingOfOtherTenants() {
    given.activate(SETTINGS, MODEL);
    String mine = given.settingAt("mine", 0.1);
    String theirs = settingOfAnother();

    SearchResponse near = given.search().search(near().addSources(in(SETTINGS)).build());
    SearchResponse words =
        given
            .search()
            .search(
                SearchRequest.newBuilder()
                    .setWords(WordsQuery.newBuilder().setWords("theirs or mine"))
                    .build());

    assertThat(ids(near)).containsExactly(mine);
    assertThat(ids(words)).containsExactly(mine);
    assertThat(Told.by(() -> given.search().search(like(theirs))).reason())
        .isEqualTo("RESOURCE_NOT_FOUND");
  }

  /** With the vector that is asked for. */
  private String settingOfAnother() {
    UUID other = rapport.newTenant();
    try (RapportClient client = rapport.clientOf(other)) {
      String id =
          client
              .settings()
              .create(
                  SystemSetting.newBuilder()
                      .setSettingKey("theirs")
                      .setSettingValue("1")
                      .setDescription("about theirs")
                      .build())
              .getId();
      given.embed(other, SETTINGS, id, MODEL, axis(0));
      return id;
    }
  }
}
