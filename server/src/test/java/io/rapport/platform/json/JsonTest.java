package io.rapport.platform.json;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Struct;
import com.google.protobuf.util.JsonFormat;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "{\"a\":1}|{\"a\":1.0}",
        "{\"a\":1}|{\"a\":10e-1}",
        "{\"a\":1}|{ \"\\u0061\" : 1E0 }",
        "{\"a\":0}|{\"a\":-0.0}",
        "{\"a\":0}|{\"a\":0e5}",
        "{\"a\":100000}|{\"a\":1e5}",
        "{\"a\":0.5}|{\"a\":5.0e-1}",
        "{\"a\":1e300}|{\"a\":10.0e299}",
        "{\"a\":1e18}|{\"a\":1000000000000000000}",
        "{\"a\":1e19}|{\"a\":10000000000000000000.0}",
        "{\"a\":-9223372036854775808}|{\"a\":-9223372036854775808.0}",
        "{\"a\":1,\"b\":2}|{\"b\":2,\"a\":1}",
        "{\"a\":\"/\"}|{\"a\":\"\\/\"}",
        "{\"a\":\"\\t\"}|{\"a\":\"\\u0009\"}",
        "{\"a\":\"😀\"}|{\"a\":\"\\ud83d\\ude00\"}"
      })
  void givesEqualDataOneForm(String one, String other) {
    assertThat(canonical(parse(one))).isEqualTo(canonical(parse(other)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "{\"a\":1}|{\"a\":\"1\"}",
        "{\"a\":1}|{\"a\":1.0000000000000001}",
        "{\"a\":9007199254740993}|{\"a\":9007199254740992}",
        "{\"a\":null}|{}",
        "{\"a\":[]}|{\"a\":{}}",
        "{\"a\":[1,2]}|{\"a\":[2,1]}",
        "{\"a\":false}|{\"a\":0}",
        "{\"a\":\"\\u00e9\"}|{\"a\":\"e\\u0301\"}",
        "{\"a.b\":1}|{\"a\":{\"b\":1}}"
      })
  void givesOtherDataAnotherForm(String one, String other) {
    assertThat(canonical(parse(one))).isNotEqualTo(canonical(parse(other)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"b\":[1,1.5,-7.0,null,true,\"x\",{\"z\":{},\"y\":[]}],\"a\":0.1}",
        "{\"a\":1e-7,\"b\":123456789.125,\"c\":9007199254740991,\"d\":4.9e-324}",
        "{\"quote\\\"\\\\\":\"line\\n\\u0001\\u001f\\u007fé😀\"}"
      })
  void givesAStructTheSameFormAsItsBytes(String json) throws InvalidProtocolBufferException {
    Struct.Builder struct = Struct.newBuilder();
    JsonFormat.parser().merge(json, struct);

    var ofStruct = Json.parse(struct.build(), "data_struct");

    assertThat(canonical(ofStruct)).isEqualTo(canonical(parse(json)));
    assertThat(Json.toStruct(ofStruct)).isEqualTo(struct.build());
    assertThat(canonical(parse(canonical(ofStruct)))).isEqualTo(canonical(ofStruct));
  }

  private static Map<String, @Nullable Object> parse(String json) {
    return Json.parse(json.getBytes(StandardCharsets.UTF_8), "data_json");
  }

  private static String canonical(Map<String, @Nullable Object> data) {
    ByteWriter out = new ByteWriter(1);
    JsonWriter.write(data, out);
    return new String(Arrays.copyOf(out.array(), out.size()), StandardCharsets.UTF_8);
  }
}
