package io.rapport.tracking.event;

import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.platform.json.Json;
import io.rapport.tracking.v1.Redaction;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RedactorTest {
  private final Redactor redactor = new Redactor();

  @Test
  void leavesAloneWhatIsNoSecret() {
    var data = data("{\"a\":[1,null,{\"b\":\"x\"}],\"c\":{}}");

    assertThat(redactor.redact(data)).isEqualTo(data);
    assertThat(redactor.report()).isNull();
  }

  @Test
  void dropsSecretsAtAnyDepthAndNamesTheirPaths() {
    var data =
        data("{\"password\":{\"a\":1},\"user\":{\"apiKey\":1,\"list\":[0,{\"token\":[1]}]}}");

    assertThat(redactor.redact(data)).isEqualTo(data("{\"user\":{\"list\":[0,{}]}}"));
    assertThat(report().getDroppedKeysList())
        .containsExactly("password", "user.apiKey", "user.list.1.token");
    assertThat(report().getCutKeysCount()).isZero();
  }

  @Test
  void cutsStringsAtAThousandCodePointsAndNoPairInTwo() {
    var data =
        data(
            "{\"a\":\"%s\",\"b\":[\"%s\"],\"c\":\"%s\"}"
                .formatted("x".repeat(1000), "😀".repeat(1001), "é".repeat(1001)));

    var kept = redactor.redact(data);

    assertThat(kept)
        .isEqualTo(
            data(
                "{\"a\":\"%s\",\"b\":[\"%s\"],\"c\":\"%s\"}"
                    .formatted("x".repeat(1000), "😀".repeat(1000), "é".repeat(1000))));
    assertThat(report().getCutKeysList()).containsExactly("b.0", "c");
  }

  @Test
  void reportsAHundredAndDropsAll() {
    StringBuilder json = new StringBuilder("{");
    for (int i = 0; i < 150; i++) {
      json.append("\"key_%03d\":1,".formatted(i));
    }
    var data = data(json.append("\"a\":1}").toString());

    assertThat(redactor.redact(data)).isEqualTo(data("{\"a\":1}"));
    assertThat(report().getDroppedKeysCount()).isEqualTo(100);
  }

  private Redaction report() {
    return Objects.requireNonNull(redactor.report());
  }

  private static Map<String, @Nullable Object> data(String json) {
    return Json.parse(json.getBytes(StandardCharsets.UTF_8), "data_json");
  }
}
