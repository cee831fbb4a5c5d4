package io.rapport.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class RequestsTest {
  private static final Names NAMES = Names.invented(Requests.kinds());

  static List<AnyRpc> rpcs() {
    return AnyRpc.all();
  }

  @ParameterizedTest
  @MethodSource("rpcs")
  void knowsHowToAskEveryRpcOfTheContract(AnyRpc rpc) {
    assertThat(Requests.of(rpc))
        .as(rpc.name())
        .isNotEmpty()
        .allSatisfy(request -> {
          String filled = NAMES.fill(request);
          assertThat(filled).doesNotContain("%");
          Requests.parse(rpc, filled);
        });
  }

  @Test
  void hidesNamesAndFindsThem() {
    String user = NAMES.fill("%User%");

    assertThat(NAMES.hide("user " + user + " is gone", "asked"))
        .isEqualTo("user asked User is gone");
    assertThat(NAMES.in("user " + user)).containsExactly(user);
    assertThat(Names.invented(Requests.kinds()).in("user " + user)).isEmpty();
  }
}
