package io.rapport.tracking.contract;

import static io.rapport.server.GivenContract.TYPE;
import static io.rapport.server.GivenContract.workout;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.Code;
import io.rapport.client.RapportClient;
import io.rapport.server.Given;
import io.rapport.server.GivenContract;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import io.rapport.tracking.v1.ActivateContractRequest;
import io.rapport.tracking.v1.DeactivateContractRequest;
import io.rapport.tracking.v1.EventContract;
import io.rapport.tracking.v1.EventContract.Mode;
import io.rapport.tracking.v1.EventContract.State;
import io.rapport.tracking.v1.EventContractServiceGrpc;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.EventOutcome.Result;
import io.rapport.tracking.v1.FieldRule;
import io.rapport.tracking.v1.GetContractRequest;
import io.rapport.tracking.v1.ListContractsRequest;
import io.rapport.tracking.v1.PutContractRequest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PutContractTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @Test
  void numbersVersionsAndKeepsThem() {
    EventContract first = rapport.client().contracts().put(workout(Mode.REJECT).build());
    EventContract second = put(workout(Mode.STAMP).setDescription("softer").build(), false);

    assertThat(first.getVersion()).isEqualTo(1);
    assertThat(first.getState()).isEqualTo(State.ACTIVE);
    assertThat(first.hasCreatedAt()).isTrue();
    assertThat(second.getVersion()).isEqualTo(2);
    assertThat(second.getState()).isEqualTo(State.INACTIVE);
    assertThat(rapport.client().contracts().get(TYPE)).contains(first);
    assertThat(version(2)).isEqualTo(second);
  }

  @Test
  void putsOneVersionInForceAtATime() {
    rapport.client().contracts().put(workout(Mode.REJECT).build());
    put(workout(Mode.STAMP).build(), false);

    EventContract active = rapport.client().contracts().activate(TYPE, 2);

    assertThat(active.getState()).isEqualTo(State.ACTIVE);
    assertThat(version(1).getState()).isEqualTo(State.INACTIVE);
    assertThat(rapport.client().contracts().activate(TYPE, 2)).isEqualTo(active);
    assertThat(rapport.client().contracts().deactivate(TYPE).getVersion()).isEqualTo(2);
    assertThat(rapport.client().contracts().get(TYPE)).isEmpty();
  }

  @Test
  void answersNotFoundForWhatIsNotThere() {
    var noVersion = ActivateContractRequest.newBuilder().setEventType(TYPE).setVersion(1).build();
    var noType = DeactivateContractRequest.newBuilder().setEventType(TYPE).build();

    Told told = Told.by(() -> stub().activateContract(noVersion));

    assertThat(told.code()).isEqualTo(Code.NOT_FOUND);
    assertThat(told.metadata()).containsEntry("id", TYPE).containsEntry("version", "1");
    assertThat(Told.by(() -> stub().deactivateContract(noType)).code()).isEqualTo(Code.NOT_FOUND);
  }

  @Test
  void knowsTheServicesOwnContracts() {
    EventContract purchase = rapport.client().contracts().get("purchase").orElseThrow();

    assertThat(purchase.getVersion()).isZero();
    assertThat(purchase.getMode()).isEqualTo(Mode.STAMP);
    assertThat(purchase.getFieldsList())
        .extracting(FieldRule::getPath)
        .containsExactly("product_id", "interaction_type");
    assertThat(purchase.getFields(1).getValuesList())
        .containsExactly("view", "add_to_cart", "purchase", "remove_from_cart");
    assertThat(rapport.client().contracts().list()).hasSize(22);
  }

  @Test
  void letsATenantSwitchTheServicesOwn() {
    rapport.client().contracts().deactivate("purchase");

    assertThat(rapport.client().contracts().get("purchase")).isEmpty();
    assertThat(rapport.client().contracts().activate("purchase", 0).getState())
        .isEqualTo(State.ACTIVE);
    EventContract own =
        GivenContract.of(FieldRule.newBuilder().setPath("a")).toBuilder()
            .setEventType("purchase")
            .build();
    assertThat(rapport.client().contracts().put(own).getVersion()).isEqualTo(1);
    assertThat(rapport.client().contracts().get("purchase").orElseThrow().getVersion()).isOne();
  }

  @Test
  void pagesContractsByTypeAndVersion() {
    for (int i = 0; i < 3; i++) {
      put(workout(Mode.STAMP).build(), i == 1);
    }
    put(workout(Mode.STAMP).setEventType("purchase").build(), true);

    List<EventContract> all =
        rapport
            .client()
            .contracts()
            .list(ListContractsRequest.newBuilder().setPageSize(2).build())
            .toList();

    List<String> names = new ArrayList<>();
    all.forEach(it -> names.add(it.getEventType() + it.getVersion()));
    assertThat(names).hasSize(26).doesNotHaveDuplicates().isSorted();
    assertThat(rapport.client().contracts().list())
        .extracting(it -> it.getEventType() + it.getVersion())
        .hasSize(23)
        .contains("purchase1", TYPE + "2")
        .doesNotContain("purchase0", TYPE + "1");
    assertThat(
            rapport
                .client()
                .contracts()
                .list(ListContractsRequest.newBuilder().setEventType("purchase").build()))
        .extracting(EventContract::getVersion)
        .containsExactly(0, 1);
  }

  @Test
  void changesNothingIfOnlyAskedToCheck() {
    var request =
        PutContractRequest.newBuilder()
            .setContract(workout(Mode.REJECT))
            .setActivate(true)
            .setValidateOnly(true)
            .build();

    assertThat(stub().putContract(request).getVersion()).isEqualTo(1);
    assertThat(rapport.client().contracts().get(TYPE)).isEmpty();
    assertThat(
            rapport.client().events().track(Given.event().setEventType(TYPE).build()).getResult())
        .isEqualTo(Result.RECORDED);
  }

  @Test
  void doesTheSameRequestOnce() {
    var request =
        PutContractRequest.newBuilder()
            .setContract(workout(Mode.REJECT))
            .setRequestId(Given.id())
            .build();

    assertThat(stub().putContract(request)).isEqualTo(stub().putContract(request));
    assertThat(
            Told.by(() -> stub().putContract(request.toBuilder().setActivate(true).build()))
                .reason())
        .isEqualTo("REQUEST_ID_REUSED");
  }

  @Test
  void isATenantsOwn() {
    rapport.client().contracts().put(workout(Mode.REJECT).build());

    try (RapportClient other = rapport.clientOf(rapport.newTenant())) {
      assertThat(other.contracts().get(TYPE)).isEmpty();
      other.events().track(Given.event().setEventType(TYPE).build());
      assertThat(other.contracts().put(workout(Mode.STAMP).build()).getVersion()).isEqualTo(1);
    }
  }

  @Test
  void refusesRulesThatDontGoTogether() {
    EventContract contract =
        EventContract.newBuilder()
            .setEventType(TYPE)
            .setMode(Mode.REJECT)
            .addFields(FieldRule.newBuilder().setPath("a").setType(FieldRule.Type.STRING).setMin(1))
            .addFields(FieldRule.newBuilder().setPath("a"))
            .addFields(FieldRule.newBuilder().setPath("b").setPattern("x"))
            .addFields(FieldRule.newBuilder().setPath("c").setMaxLength(3))
            .addFields(FieldRule.newBuilder().setPath("d.api_key"))
            .addFields(
                FieldRule.newBuilder()
                    .setPath("e")
                    .setType(FieldRule.Type.NUMBER)
                    .setMin(2)
                    .setMax(1))
            .addFields(FieldRule.newBuilder().setPath("f").addValues("x"))
            .setTextField("e")
            .build();

    Told told = Told.by(() -> put(contract, false));

    assertThat(told.reason()).isEqualTo("INVALID_FIELD");
    assertThat(told.fields())
        .containsExactly(
            "contract.fields[0].min",
            "contract.fields[1].path",
            "contract.fields[2].pattern",
            "contract.fields[3].max_length",
            "contract.fields[4].path",
            "contract.fields[5].max",
            "contract.fields[6].values",
            "contract.text_field");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".", "a.", ".a", "a..b", "a\0"})
  void refusesAPathThatIsNone(String path) {
    Told told = Told.by(() -> put(GivenContract.of(FieldRule.newBuilder().setPath(path)), false));

    assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.fields()).contains("contract.fields[0].path");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(",
        "(a)\\1",
        "(?=a)",
        "((a{100}){100}){100}",
        "(((((a{9}){9}){9}){9}){9}){9}",
        "(a?){500}",
        "[a-z]{1000}",
        "a{2000}"
      })
  @Timeout(10)
  void refusesAPatternThatCouldHangTheServer(String pattern) {
    FieldRule.Builder rule =
        FieldRule.newBuilder().setPath("a").setType(FieldRule.Type.STRING).setPattern(pattern);

    Told told = Told.by(() -> put(GivenContract.of(rule), false));

    assertThat(told.fields()).containsExactly("contract.fields[0].pattern");
  }

  @Test
  void boundsThePatternsOfAContractTogether() {
    EventContract.Builder contract =
        GivenContract.of(FieldRule.newBuilder().setPath("a")).toBuilder();
    for (int i = 0; i < 20; i++) {
      contract.addFields(
          FieldRule.newBuilder()
              .setPath("f" + i)
              .setType(FieldRule.Type.STRING)
              .setPattern("^[a-z]{8}-[a-z]{4}$"));
    }

    assertThat(Told.by(() -> put(contract.build(), false)).fields())
        .isNotEmpty()
        .allMatch(it -> it.endsWith(".pattern"));
  }

  /** Each of these takes a backtracking engine longer than the test may. */
  @ParameterizedTest
  @ValueSource(strings = {"^(a+)+$", "^(a|aa)+$", "^(a*)*b$", "(x+x+)+y", "^(([a-z])+.)+[A-Z]$"})
  @Timeout(10)
  void matchesHostilePatternsInLinearTime(String pattern) {
    rapport
        .client()
        .contracts()
        .put(
            GivenContract.of(
                FieldRule.newBuilder()
                    .setPath("a")
                    .setType(FieldRule.Type.STRING)
                    .setPattern(pattern)));
    String hostile = "{\"a\":\"" + "a".repeat(500) + "x".repeat(490) + "!\"}";

    List<EventOutcome> outcomes =
        rapport
            .client()
            .events()
            .batch(
                Given.eventsWith(hostile, 100).stream()
                    .map(it -> it.toBuilder().setEventType(TYPE).build())
                    .toList());

    assertThat(outcomes).extracting(EventOutcome::getResult).containsOnly(Result.REFUSED);
  }

  private static EventContract put(EventContract contract, boolean activate) {
    return stub()
        .putContract(
            PutContractRequest.newBuilder().setContract(contract).setActivate(activate).build());
  }

  private static EventContract version(int version) {
    return stub()
        .getContract(
            GetContractRequest.newBuilder().setEventType(TYPE).setVersion(version).build());
  }

  private static EventContractServiceGrpc.EventContractServiceBlockingStub stub() {
    return EventContractServiceGrpc.newBlockingStub(rapport.channel());
  }
}
