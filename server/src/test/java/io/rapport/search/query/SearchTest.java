package io.rapport.search.query;

import static io.rapport.search.query.GivenVectors.MODEL;
import static io.rapport.search.query.GivenVectors.SETTINGS;
import static io.rapport.search.query.GivenVectors.SIGN_INS;
import static io.rapport.search.query.GivenVectors.USERS;
import static io.rapport.search.query.GivenVectors.at;
import static io.rapport.search.query.GivenVectors.axis;
import static io.rapport.search.query.GivenVectors.cosine;
import static io.rapport.search.query.GivenVectors.ids;
import static io.rapport.search.query.GivenVectors.in;
import static io.rapport.search.query.GivenVectors.query;
import static io.rapport.search.query.GivenVectors.scores;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.protobuf.FieldMask;
import io.rapport.identity.v1.SignInFilter;
import io.rapport.identity.v1.SignInRequest;
import io.rapport.identity.v1.SystemSetting;
import io.rapport.identity.v1.SystemSettingFilter;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.UserFilter;
import io.rapport.platform.v1.TextFilter;
import io.rapport.platform.v1.TimeFilter;
import io.rapport.search.v1.EntityFilter;
import io.rapport.search.v1.KindReport;
import io.rapport.search.v1.KindReport.Mode;
import io.rapport.search.v1.RelatedFilter;
import io.rapport.search.v1.SearchHit;
import io.rapport.search.v1.SearchRequest;
import io.rapport.search.v1.SearchResponse;
import io.rapport.search.v1.SearchSource;
import io.rapport.search.v1.Shortfall.Cause;
import io.rapport.search.v1.StoredQuery;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Searches by meaning, against cosines worked out here. */
class SearchTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private final GivenVectors given = new GivenVectors(rapport);

  private static SearchRequest.Builder near(int axis) {
    return SearchRequest.newBuilder().setVector(query(axis(axis)));
  }

  private static EntityFilter keyPrefix(String prefix) {
    return EntityFilter.newBuilder()
        .setSystemSetting(
            SystemSettingFilter.newBuilder()
                .setSettingKey(TextFilter.newBuilder().setPrefix(prefix)))
        .build();
  }

  private static SearchSource settings(EntityFilter filter) {
    return SearchSource.newBuilder().setKind(SETTINGS).setFilter(filter).build();
  }

  private static KindReport report(SearchResponse response, String kind) {
    return response.getKindsList().stream()
        .filter(it -> it.getKind().equals(kind))
        .findFirst()
        .orElseThrow();
  }

  private static List<Cause> causes(KindReport report) {
    return report.getShortfallsList().stream().map(it -> it.getCause()).toList();
  }

  @Test
  void findsWhatAnExactSearchFinds() {
    given.activate(SETTINGS, MODEL);
    Random random = new Random(7);
    Map<String, float[]> vectors = new HashMap<>();
    for (int i = 0; i < 120; i++) {
      String id = given.setting("k" + i, "text " + i).getId();
      float[] vector = GivenVectors.random(random);
      vectors.put(id, vector);
      given.embed(SETTINGS, id, vector);
    }
    float[] asked = GivenVectors.random(random);

    SearchResponse response =
        given
            .search()
            .search(
                SearchRequest.newBuilder()
                    .setVector(query(asked))
                    .addSources(in(SETTINGS))
                    .setLimit(30)
                    .build());

    List<Double> exact =
        vectors.values().stream()
            .map(it -> cosine(it, asked))
            .sorted(Comparator.reverseOrder())
            .limit(30)
            .toList();
    assertThat(response.getHitsCount()).isEqualTo(30);
    for (int i = 0; i < 30; i++) {
      SearchHit hit = response.getHits(i);
      assertThat(hit.getScore()).isCloseTo(exact.get(i), within(0.001));
      assertThat(hit.getScore())
          .isCloseTo(cosine(vectors.getOrDefault(hit.getId(), asked), asked), within(0.001));
      assertThat(hit.getKind()).isEqualTo(SETTINGS);
      assertThat(hit.getRevision()).isEqualTo(1);
      assertThat(hit.getStale()).isFalse();
    }
    KindReport report = report(response, SETTINGS);
    assertThat(report.getMode()).isEqualTo(Mode.EXACT);
    assertThat(report.getMatching()).isEqualTo(120);
    assertThat(report.getModel()).isEqualTo(MODEL);
    assertThat(report.getHits()).isEqualTo(30);
    assertThat(report.getShortfallsList()).isEmpty();
  }

  @Test
  void filtersByTheEntitysOwnFields() {
    given.activate(SETTINGS, MODEL);
    given.settingAt("mail.host", 0.9);
    String port = given.settingAt("mail.port", 0.8, SystemSetting.Type.INTEGER);
    String retries = given.settingAt("job.retries", 0.7, SystemSetting.Type.INTEGER);
    EntityFilter integers =
        EntityFilter.newBuilder()
            .setSystemSetting(
                SystemSettingFilter.newBuilder().addSettingType(SystemSetting.Type.INTEGER))
            .build();

    assertThat(ids(given.search().search(near(0).addSources(settings(integers)).build())))
        .containsExactly(port, retries);
    SearchResponse none =
        given.search().search(near(0).addSources(settings(keyPrefix("nothing"))).build());
    assertThat(none.getHitsList()).isEmpty();
    assertThat(causes(report(none, SETTINGS))).containsExactly(Cause.FEWER_MATCH);
  }

  @Test
  void filtersByRelatedEntitiesInBothDirections() {
    given.activate(SIGN_INS, MODEL);
    given.activate(USERS, MODEL);
    String ada = user("ada@example.org");
    String bob = user("bob@example.org");
    String adas = signIn(ada);
    signIn(bob);
    given.embed(SIGN_INS, adas, at(0.5, 1));
    given.embed(USERS, ada, at(0.9, 2));
    given.embed(USERS, bob, at(0.8, 3));
    RelatedFilter ofAda = RelatedFilter.newBuilder().setFilter(email("ada@")).build();
    EntityFilter everySignIn =
        EntityFilter.newBuilder()
            .setSignIn(
                SignInFilter.newBuilder()
                    .setExpiresAt(
                        TimeFilter.newBuilder().setFrom(Given.time("2000-01-01T00:00:00Z"))))
            .build();

    SearchSource signIns = SearchSource.newBuilder().setKind(SIGN_INS).addRelated(ofAda).build();
    assertThat(ids(given.search().search(near(0).addSources(signIns).build())))
        .containsExactly(adas);

    RelatedFilter adasSignIns =
        RelatedFilter.newBuilder()
            .setFilter(everySignIn)
            .setBy("user_id")
            .addRelated(ofAda)
            .build();
    SearchSource users = SearchSource.newBuilder().setKind(USERS).addRelated(adasSignIns).build();
    assertThat(ids(given.search().search(near(0).addSources(users).build()))).containsExactly(ada);
  }

  private static EntityFilter email(String prefix) {
    return EntityFilter.newBuilder()
        .setUser(UserFilter.newBuilder().setEmail(TextFilter.newBuilder().setPrefix(prefix)))
        .build();
  }

  private static String user(String email) {
    return rapport
        .client()
        .users()
        .create(User.newBuilder().setEmail(email).setFirstName("A").setLastName("B").build())
        .getId();
  }

  private static String signIn(String user) {
    return rapport
        .client()
        .signIns()
        .signIn(SignInRequest.newBuilder().setUserId(user).setUserAgent("browser").build())
        .getSignIn()
        .getId();
  }

  @Test
  void searchesAllKindsAndNamesTheModelOfEach() {
    given.activate(SETTINGS, MODEL);
    given.activate(USERS, "another");
    String setting = given.settingAt("a", 0.6);

    SearchResponse response = given.search().search(near(0).build());

    assertThat(ids(response)).containsExactly(setting);
    assertThat(causes(report(response, USERS))).containsExactly(Cause.OTHER_MODEL);
    assertThat(causes(report(response, SIGN_INS))).containsExactly(Cause.NO_MODEL);
    assertThat(report(response, USERS).getMode()).isEqualTo(Mode.MODE_UNSPECIFIED);
  }

  @Test
  void neverComparesVectorsOfAnotherModel() {
    given.activate(SETTINGS, MODEL);
    String old = given.setting("old", "old").getId();
    given.embed(rapport.tenant(), SETTINGS, old, "before", axis(0));
    String present = given.settingAt("present", 0.1);

    SearchResponse response = given.search().search(near(0).addSources(in(SETTINGS)).build());

    assertThat(ids(response)).containsExactly(present);
    assertThat(causes(report(response, SETTINGS)))
        .containsExactly(Cause.FEWER_MATCH, Cause.NOT_EMBEDDED);
  }

  @Test
  void cutsAtTheScoreAndSaysSo() {
    given.activate(SETTINGS, MODEL);
    String high = given.settingAt("high", 0.9);
    given.settingAt("low", 0.3);

    SearchResponse response =
        given.search().search(near(0).addSources(in(SETTINGS)).setMinScore(0.5).build());

    assertThat(ids(response)).containsExactly(high);
    assertThat(causes(report(response, SETTINGS))).containsExactly(Cause.BELOW_MIN_SCORE);
  }

  @Test
  void isNotShortIfItGivesJustWhatWasWanted() {
    given.activate(SETTINGS, MODEL);
    given.settingAt("a", 0.9);
    given.settingAt("b", 0.8);

    SearchResponse response =
        given.search().search(near(0).addSources(in(SETTINGS)).setLimit(2).build());

    assertThat(response.getHitsCount()).isEqualTo(2);
    assertThat(report(response, SETTINGS).getShortfallsList()).isEmpty();
    assertThat(response.getNextPageToken()).isEmpty();
  }

  @Test
  void marksHitsWhoseTextHasChangedSince() {
    given.activate(SETTINGS, MODEL);
    SystemSetting setting = given.setting("a", "before");
    given.embed(SETTINGS, setting.getId(), at(0.5, 1));
    rapport
        .client()
        .settings()
        .update(setting.toBuilder().setDescription("after").build(), "description");

    SearchHit hit =
        given
            .search()
            .search(near(0).addSources(in(SETTINGS)).setIncludeText(true).build())
            .getHits(0);

    assertThat(hit.getStale()).isTrue();
    assertThat(hit.getRevision()).isEqualTo(2);
    assertThat(hit.getText()).isEqualTo("a\nafter");
  }

  @Test
  void leavesTheStoredEntityItselfOut() {
    given.activate(SETTINGS, MODEL);
    String one = given.settingAt("one", 0.9);
    String two = given.settingAt("two", 0.8);
    StoredQuery stored = StoredQuery.newBuilder().setKind(SETTINGS).setId(one).build();

    SearchResponse response =
        given
            .search()
            .search(SearchRequest.newBuilder().setStored(stored).addSources(in(SETTINGS)).build());

    assertThat(ids(response)).containsExactly(two);
  }

  @Test
  void returnsEntitiesAndVectorsWhereAskedFor() throws Exception {
    given.activate(SETTINGS, MODEL);
    given.settingAt("a", 0.6);
    SearchSource source =
        SearchSource.newBuilder()
            .setKind(SETTINGS)
            .setReadMask(FieldMask.newBuilder().addPaths("setting_key"))
            .build();

    SearchHit bare = given.search().search(near(0).addSources(source).build()).getHits(0);
    SearchHit full =
        given
            .search()
            .search(
                near(0)
                    .addSources(source)
                    .setIncludeEntities(true)
                    .setIncludeEmbeddings(true)
                    .build())
            .getHits(0);

    assertThat(bare.hasEntity()).isFalse();
    assertThat(bare.getEmbeddingCount()).isZero();
    assertThat(full.getEntity().unpack(SystemSetting.class))
        .isEqualTo(SystemSetting.newBuilder().setSettingKey("a").build());
    assertThat(full.getEmbeddingCount()).isEqualTo(1536);
    assertThat(full.getEmbedding(0)).isCloseTo(0.6f, within(0.001f));
  }

  @Test
  void goesThroughAllPagesWithoutRepeating() {
    given.activate(SETTINGS, MODEL);
    List<String> best = new ArrayList<>();
    for (int i = 0; i < 25; i++) {
      best.add(given.settingAt("p" + i, i < 5 ? 0.9 : 0.8 - i * 0.01));
    }
    List<String> seen = new ArrayList<>();
    SearchRequest request = near(0).addSources(in(SETTINGS)).setLimit(4).build();

    String token = "";
    do {
      SearchResponse page = given.search().search(request.toBuilder().setPageToken(token).build());
      assertThat(report(page, SETTINGS).hasMatching()).isEqualTo(seen.isEmpty());
      seen.addAll(ids(page));
      token = page.getNextPageToken();
    } while (!token.isEmpty());

    assertThat(seen).hasSize(25).doesNotHaveDuplicates();
    assertThat(seen.subList(0, 5)).containsExactlyInAnyOrderElementsOf(best.subList(0, 5));
    assertThat(seen.subList(5, 25)).isEqualTo(best.subList(5, 25));
  }

  @Test
  void doesNotGoOnBehindAPageOfAnotherVector() {
    given.activate(SETTINGS, MODEL);
    String asked = given.settingAt("asked", 0.9);
    given.settingAt("b", 0.8);
    given.settingAt("c", 0.7);
    SearchRequest request =
        SearchRequest.newBuilder()
            .setStored(StoredQuery.newBuilder().setKind(SETTINGS).setId(asked))
            .addSources(in(SETTINGS))
            .setLimit(1)
            .build();
    String token = given.search().search(request).getNextPageToken();
    SearchRequest next = request.toBuilder().setPageToken(token).build();
    assertThat(ids(given.search().search(next))).hasSize(1);

    rapport
        .sql()
        .execute(
            "UPDATE search.embeddings SET embedding = {1}::text::halfvec(1536) WHERE id = {0}::uuid",
            org.jooq.impl.DSL.val(asked),
            org.jooq.impl.DSL.val(java.util.Arrays.toString(axis(1))));

    assertThat(Told.by(() -> given.search().search(next)).reason())
        .isEqualTo("PAGE_TOKEN_MISMATCH");
  }

  @Test
  void takesTheGraphForManyAndComparesAllWhereThatIsShort() {
    given.activate(SETTINGS, MODEL);
    manySettings(6000);
    List<String> embedded = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      embedded.add(given.settingAt("many-" + i, 0.9 - i * 0.02));
    }
    SearchRequest ten = near(0).addSources(settings(keyPrefix("many"))).build();

    SearchResponse graph = given.search().search(ten);
    assertThat(ids(graph)).isEqualTo(embedded.subList(0, 10));
    assertThat(report(graph, SETTINGS).getMode()).isEqualTo(Mode.HNSW);
    assertThat(report(graph, SETTINGS).hasMatching()).isFalse();

    SearchResponse all = given.search().search(ten.toBuilder().setLimit(30).build());
    KindReport report = report(all, SETTINGS);
    assertThat(ids(all)).isEqualTo(embedded);
    assertThat(report.getMode()).isEqualTo(Mode.HNSW_THEN_EXACT);
    assertThat(report.getMatching()).isEqualTo(20);
    assertThat(causes(report)).containsExactly(Cause.FEWER_MATCH, Cause.NOT_EMBEDDED);
    assertThat(report.getShortfalls(1).getCount()).isEqualTo(6000);

    SearchResponse near =
        given.search().search(ten.toBuilder().setMinScore(0.79).setExplain(true).build());
    assertThat(ids(near)).isEqualTo(embedded.subList(0, 6));
    assertThat(report(near, SETTINGS).getMode()).isEqualTo(Mode.HNSW);
    assertThat(causes(report(near, SETTINGS))).containsExactly(Cause.BELOW_MIN_SCORE);
    assertThat(near.getExplanation().getStepsList())
        .extracting(it -> it.getStep())
        .containsExactly("query", "narrow", "graph", "graph");
    assertThat(near.getExplanation().getEffort()).isEqualTo(1000);

    SearchRequest second = ten.toBuilder().setPageToken(graph.getNextPageToken()).build();
    SearchResponse later = given.search().search(second);
    assertThat(ids(later)).isEqualTo(embedded.subList(10, 20));
    assertThat(report(later, SETTINGS).getMode()).isEqualTo(Mode.EXACT);

    SearchResponse exact = given.search().search(ten.toBuilder().setExact(true).build());
    assertThat(scores(exact)).isEqualTo(scores(graph));
    assertThat(report(exact, SETTINGS).getMode()).isEqualTo(Mode.EXACT);
  }

  /** That have no vectors. */
  private static void manySettings(int count) {
    rapport
        .sql()
        .execute(
            "INSERT INTO identity.system_settings (tenant_id, id, setting_key, setting_value,"
                + " setting_type) SELECT {0}, gen_random_uuid(), 'many.' || i, 'v', 'STRING'"
                + " FROM generate_series(1, {1}) i",
            org.jooq.impl.DSL.val(rapport.tenant()), org.jooq.impl.DSL.val(count));
  }

  @Test
  void explainsWhatItDidIfAsked() {
    given.activate(SETTINGS, MODEL);
    given.settingAt("a", 0.6);

    SearchResponse told =
        given.search().search(near(0).addSources(in(SETTINGS)).setExplain(true).build());

    assertThat(told.getExplanation().getExactUpTo()).isEqualTo(5000);
    assertThat(told.getExplanation().getEffort()).isZero();
    assertThat(told.getExplanation().getStepsList())
        .extracting(it -> it.getStep())
        .containsExactly("query", "narrow", "count");
    assertThat(given.search().search(near(0).build()).hasExplanation()).isFalse();
  }
}
