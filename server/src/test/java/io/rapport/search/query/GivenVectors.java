package io.rapport.search.query;

import io.rapport.identity.v1.SystemSetting;
import io.rapport.search.v1.SearchHit;
import io.rapport.search.v1.SearchResponse;
import io.rapport.search.v1.SearchServiceGrpc;
import io.rapport.search.v1.SearchServiceGrpc.SearchServiceBlockingStub;
import io.rapport.search.v1.SearchSource;
import io.rapport.search.v1.VectorQuery;
import io.rapport.server.Rapport;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Collectors;

/** Entities with vectors, put into the database by hand. */
final class GivenVectors {
  static final String SETTINGS = "identity.system_setting";
  static final String USERS = "identity.user";
  static final String SIGN_INS = "identity.sign_in";
  static final String MODEL = "test-model";

  private final Rapport rapport;

  GivenVectors(Rapport rapport) {
    this.rapport = rapport;
  }

  SearchServiceBlockingStub search() {
    return SearchServiceGrpc.newBlockingStub(rapport.channel());
  }

  void activate(String kind, String model) {
    rapport
        .sql()
        .execute(
            "INSERT INTO search.embedding_models (tenant_id, kind, model, state)"
                + " VALUES ({0}, {1}, {2}, 'ACTIVE')",
            val(rapport.tenant()), val(kind), val(model));
  }

  private static org.jooq.Field<?> val(Object value) {
    return org.jooq.impl.DSL.val(value);
  }

  /** A setting whose text is its key and description. */
  SystemSetting setting(String key, String description) {
    return setting(key, description, SystemSetting.Type.STRING);
  }

  SystemSetting setting(String key, String description, SystemSetting.Type type) {
    return rapport
        .client()
        .settings()
        .create(
            SystemSetting.newBuilder()
                .setSettingKey(key)
                .setSettingValue(type == SystemSetting.Type.BOOLEAN ? "true" : "1")
                .setSettingType(type)
                .setDescription(description)
                .build());
  }

  /** Gives an entity a vector of its text. */
  void embed(String kind, String id, float[] vector) {
    embed(rapport.tenant(), kind, id, MODEL, vector);
  }

  void embed(UUID tenant, String kind, String id, String model, float[] vector) {
    int rows =
        rapport
            .sql()
            .execute(
                "INSERT INTO search.embeddings (tenant_id, kind, id, model, content_hash, embedding)"
                    + " SELECT tenant_id, kind, id, {3}, content_hash, {4}::text::halfvec(1536)"
                    + " FROM search.documents WHERE tenant_id = {0} AND kind = {1} AND id = {2}",
                val(tenant),
                val(kind),
                val(UUID.fromString(id)),
                val(model),
                val(Arrays.toString(unit(vector))));
    if (rows != 1) {
      throw new AssertionError("no text of " + kind + " " + id);
    }
  }

  /** A setting in a direction whose cosine with {@link #axis} 0 is known. */
  String settingAt(String key, double cosine) {
    return settingAt(key, cosine, SystemSetting.Type.STRING);
  }

  String settingAt(String key, double cosine, SystemSetting.Type type) {
    String id = setting(key, "about " + key, type).getId();
    embed(SETTINGS, id, at(cosine, 1 + Math.floorMod(key.hashCode(), 1500)));
    return id;
  }

  /** The direction of one coordinate. */
  static float[] axis(int index) {
    float[] vector = new float[1536];
    vector[index] = 1;
    return vector;
  }

  /** A direction with this cosine to coordinate 0, and the rest in another one. */
  static float[] at(double cosine, int other) {
    float[] vector = new float[1536];
    vector[0] = (float) cosine;
    vector[other] = (float) Math.sqrt(1 - cosine * cosine);
    return vector;
  }

  /** A direction near one of ten. */
  static float[] random(Random random) {
    float[] vector = new float[1536];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = (float) (random.nextGaussian() / Math.sqrt(vector.length));
    }
    vector[random.nextInt(10)] += 1;
    return unit(vector);
  }

  static float[] unit(float[] vector) {
    double length = Math.sqrt(cosine(vector, vector));
    float[] unit = new float[vector.length];
    for (int i = 0; i < unit.length; i++) {
      unit[i] = (float) (vector[i] / length);
    }
    return unit;
  }

  /** Of unit vectors. */
  static double cosine(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  static VectorQuery query(float[] vector) {
    VectorQuery.Builder query = VectorQuery.newBuilder().setModel(MODEL);
    for (float value : vector) {
      query.addValues(value);
    }
    return query.build();
  }

  static SearchSource in(String kind) {
    return SearchSource.newBuilder().setKind(kind).build();
  }

  static List<String> ids(SearchResponse response) {
    return response.getHitsList().stream().map(SearchHit::getId).collect(Collectors.toList());
  }

  static List<Double> scores(SearchResponse response) {
    return new ArrayList<>(response.getHitsList().stream().map(SearchHit::getScore).toList());
  }
}
