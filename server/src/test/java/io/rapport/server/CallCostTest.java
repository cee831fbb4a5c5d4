package io.rapport.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.Metadata;
import io.rapport.client.CallCost;
import io.rapport.client.RapportClient;
import io.rapport.tracking.v1.EventFilter;
import io.rapport.tracking.v1.GetEventRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Callers learn what their calls cost the database, if they ask. */
class CallCostTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private final List<CallCost> costs = Collections.synchronizedList(new ArrayList<>());

  @Test
  void tellsWhatARowCosts() {
    String id = Given.id();
    rapport.client().events().track(Given.event().setId(id).build());
    try (RapportClient client = curious()) {
      assertThat(client.events().get(id)).isPresent();
    }

    CallCost cost = costs.getFirst();
    assertThat(costs).hasSize(1);
    assertThat(cost.method()).endsWith("EventService/GetEvent");
    assertThat(cost.statements()).isEqualTo(1);
    assertThat(cost.rows()).isEqualTo(1);
    assertThat(cost.database()).isBetween(Duration.ofNanos(1_000), Duration.ofSeconds(5));
    assertThat(cost.waiting()).isBetween(Duration.ZERO, Duration.ofSeconds(5));
  }

  @Test
  void countsRowsAndStatements() {
    rapport.client().events().batch(Given.events(30));
    try (RapportClient client = curious()) {
      assertThat(client.events().list(EventFilter.getDefaultInstance())).hasSize(30);
      client.users().link(user(), Given.identity("bob"));
    }

    assertThat(costs.getFirst().rows()).isBetween(30L, 32L);
    CallCost write = costs.getLast();
    assertThat(write.method()).endsWith("UserService/LinkIdentity");
    assertThat(write.statements()).isBetween(3L, 20L);
    assertThat(write.rows()).isPositive();
  }

  @Test
  void isNotToldUnlessAsked() {
    byte[] request = GetEventRequest.newBuilder().setId(Given.id()).build().toByteArray();
    String get = "rapport.tracking.v1.EventService/GetEvent";

    assertThat(Wire.call(rapport.channel(), get, request).trailers().keys())
        .noneMatch(key -> key.startsWith("rapport-cost"));
    Metadata asking = new Metadata();
    asking.put(Metadata.Key.of("rapport-cost", Metadata.ASCII_STRING_MARSHALLER), "true");
    Wire.Ending ending = Wire.call(rapport.channel(), get, asking, CallOptions.DEFAULT, request);
    assertThat(ending.reason()).isEqualTo("RESOURCE_NOT_FOUND");
    assertThat(ending.trailers().keys())
        .contains(
            "rapport-cost-db-ms",
            "rapport-cost-statements",
            "rapport-cost-rows",
            "rapport-cost-wait-ms");
  }

  private static String user() {
    return rapport.client().users().get(Given.identity("ada")).orElseThrow().getId();
  }

  private RapportClient curious() {
    return RapportClient.builder("127.0.0.1:" + rapport.port())
        .token(rapport.tokens().of(rapport.tenant(), Tokens.ALL_RIGHTS))
        .costs(costs::add)
        .build();
  }
}
