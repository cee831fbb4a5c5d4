package io.rapport.search.embedding;

import com.google.protobuf.ByteString;
import io.rapport.client.EmbeddingsClient;
import io.rapport.identity.v1.User;
import io.rapport.search.v1.ClaimStaleEmbeddingsRequest;
import io.rapport.search.v1.ClaimStaleEmbeddingsResponse;
import io.rapport.search.v1.EmbeddingCoverage;
import io.rapport.search.v1.EmbeddingResult;
import io.rapport.search.v1.NewEmbedding;
import io.rapport.server.Rapport;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Users, whose texts tests embed. */
record GivenTexts(Rapport rapport) {
  static final String KIND = "identity.user";
  static final String MODEL = "test-model";
  static final int DIMENSIONS = 8;

  EmbeddingsClient embeddings() {
    return rapport.client().embeddings();
  }

  void model() {
    embeddings().start(KIND, MODEL, DIMENSIONS);
  }

  User user(String name) {
    return rapport
        .client()
        .users()
        .create(User.newBuilder().setFirstName(name).setEmail(name + "@example.org").build());
  }

  List<User> users(int count) {
    List<User> users = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      users.add(user("u" + i));
    }
    return users;
  }

  User renamed(User user, String name) {
    return rapport
        .client()
        .users()
        .update(user.toBuilder().setFirstName(name).build(), "first_name");
  }

  /** Of the user's text as it should be. */
  static ByteString hash(User user) {
    try {
      byte[] text = (user.getFirstName() + "\n" + user.getEmail()).getBytes(StandardCharsets.UTF_8);
      return ByteString.copyFrom(MessageDigest.getInstance("SHA-256").digest(text));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  static float[] vector(int seed) {
    return vector(seed, DIMENSIONS);
  }

  static float[] vector(int seed, int dimensions) {
    Random random = new Random(seed);
    float[] vector = new float[dimensions];
    for (int i = 0; i < dimensions; i++) {
      vector[i] = (float) random.nextGaussian();
    }
    return vector;
  }

  static NewEmbedding embedding(User user, float[] vector) {
    return EmbeddingsClient.embedding(user.getId(), hash(user), vector);
  }

  EmbeddingResult.Result put(User user, float[] vector) {
    return put(MODEL, user, vector);
  }

  EmbeddingResult.Result put(String model, User user, float[] vector) {
    return embeddings().put(KIND, model, List.of(embedding(user, vector))).get(0).getResult();
  }

  ClaimStaleEmbeddingsResponse claim(int texts) {
    return embeddings()
        .claim(ClaimStaleEmbeddingsRequest.newBuilder().setKind(KIND).setMaxTexts(texts).build());
  }

  EmbeddingCoverage coverage() {
    return coverage(MODEL);
  }

  EmbeddingCoverage coverage(String model) {
    return embeddings().coverage(KIND).stream()
        .filter(it -> it.getModel().getModel().equals(model))
        .findFirst()
        .orElseThrow();
  }

  /** Waits for what happens in the background; the test's timeout ends it. */
  static void await(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      LockSupport.parkNanos(20_000_000);
    }
  }
}
