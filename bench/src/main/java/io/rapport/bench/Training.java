package io.rapport.bench;

import com.google.common.primitives.Floats;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.rapport.caching.v1.ReadOptions.Consistency;
import io.rapport.identity.v1.CreateSystemSettingRequest;
import io.rapport.identity.v1.ListUsersRequest;
import io.rapport.identity.v1.SystemSetting;
import io.rapport.identity.v1.SystemSettingServiceGrpc;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.search.v1.ClaimStaleEmbeddingsRequest;
import io.rapport.search.v1.ClaimedText;
import io.rapport.search.v1.EmbeddingModelServiceGrpc;
import io.rapport.search.v1.EmbeddingServiceGrpc;
import io.rapport.search.v1.NewEmbedding;
import io.rapport.search.v1.PutEmbeddingsRequest;
import io.rapport.search.v1.SearchRequest;
import io.rapport.search.v1.SearchResponse;
import io.rapport.search.v1.SearchServiceGrpc;
import io.rapport.search.v1.SearchSource;
import io.rapport.search.v1.StartEmbeddingModelRequest;
import io.rapport.search.v1.VectorQuery;
import io.rapport.search.v1.WordsQuery;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.ListEventsRequest;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;

/**
 * Runs the server through a little of everything, so that Java learns its classes and how they are
 * used, and keeps that in the file that the property {@code rapport.training} names. See
 * https://openjdk.org/jeps/514.
 */
final class Training {
  private static final Duration HALF = Duration.ofSeconds(2);
  private static final int IN_FLIGHT = 8;
  private static final int FEW = 20;
  private static final String KIND = "identity.system_setting";
  private static final String MODEL = "training";
  private static final int DIMENSIONS = 1536;

  private Training() {}

  public static void main(String[] args) throws Exception {
    String cache = System.getProperty("rapport.training");
    try (Site site = Site.open(List.of("-XX:AOTCacheOutput=" + cache))) {
      Samples samples = Samples.load(null);
      StartRatio.load(site, samples, HALF);
      Tenants.Tenant tenant = site.makeTenants(1).getFirst();
      ManagedChannel channel = site.channel();
      try {
        Channel own = tenant.over(channel);
        read(own);
        KeptPredictions kept = KeptPredictions.put(site, tenant, own, samples, FEW);
        repeat(kept.gets(Consistency.BOUNDED));
        repeat(kept.gets(Consistency.STRONG));
        search(own);
      } finally {
        channel.shutdownNow();
      }
      site.stopServer(); // which writes the cache
    }
  }

  private static void read(Channel channel) {
    EventServiceGrpc.newBlockingStub(channel)
        .listEvents(ListEventsRequest.newBuilder().setPageSize(1).build());
    UserServiceGrpc.newBlockingStub(channel)
        .listUsers(ListUsersRequest.newBuilder().setPageSize(1).build());
  }

  private static void search(Channel channel) throws InterruptedException {
    var settings = SystemSettingServiceGrpc.newBlockingStub(channel);
    for (int i = 0; i < FEW; i++) {
      settings.createSystemSetting(
          CreateSystemSettingRequest.newBuilder()
              .setSystemSetting(
                  SystemSetting.newBuilder()
                      .setSettingKey("training." + i)
                      .setSettingValue("1")
                      .setSettingType(SystemSetting.Type.INTEGER)
                      .setDescription("for training"))
              .build());
    }
    embed(channel);
    SearchSource source = SearchSource.newBuilder().setKind(KIND).build();
    SearchRequest near =
        SearchRequest.newBuilder()
            .setVector(VectorQuery.newBuilder().setModel(MODEL).addAllValues(vector(1)))
            .addSources(source)
            .build();
    SearchRequest worded =
        SearchRequest.newBuilder()
            .setWords(WordsQuery.newBuilder().setWords("training"))
            .addSources(source)
            .build();
    repeat(() -> call(channel, near));
    repeat(() -> call(channel, worded));
  }

  private static CallLoad.Call call(Channel channel, SearchRequest request) {
    return new RpcCall<SearchRequest, SearchResponse>(
        channel, SearchServiceGrpc.getSearchMethod(), request, answer -> answer.getHitsCount() > 0);
  }

  private static void embed(Channel channel) {
    var _ =
        EmbeddingModelServiceGrpc.newBlockingStub(channel)
            .startEmbeddingModel(
                StartEmbeddingModelRequest.newBuilder()
                    .setKind(KIND)
                    .setModel(MODEL)
                    .setDimensions(DIMENSIONS)
                    .build());
    var embeddings = EmbeddingServiceGrpc.newBlockingStub(channel);
    List<ClaimedText> texts =
        embeddings
            .claimStaleEmbeddings(ClaimStaleEmbeddingsRequest.newBuilder().setKind(KIND).build())
            .getTextsList();
    PutEmbeddingsRequest.Builder put =
        PutEmbeddingsRequest.newBuilder().setKind(KIND).setModel(MODEL);
    for (ClaimedText text : texts) {
      put.addEmbeddings(
          NewEmbedding.newBuilder()
              .setId(text.getId())
              .setContentHash(text.getContentHash())
              .addAllVector(vector(put.getEmbeddingsCount())));
    }
    var _ = embeddings.putEmbeddings(put.build());
  }

  private static List<Float> vector(int axis) {
    float[] vector = new float[DIMENSIONS];
    vector[axis] = 1;
    return Floats.asList(vector);
  }

  private static void repeat(Supplier<CallLoad.Call> calls) throws InterruptedException {
    var _ = new CallLoad(List.of(calls)).run(IN_FLIGHT, HALF);
  }
}
