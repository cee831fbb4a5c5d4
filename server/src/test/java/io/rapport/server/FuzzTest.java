package io.rapport.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.DynamicMessage;
import io.grpc.Channel;
import io.grpc.Status.Code;
import io.grpc.health.v1.HealthCheckRequest;
import io.rapport.platform.Contract;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Any bytes at any RPC end in a defined way. */
class FuzzTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final int CASES = Integer.getInteger("rapport.fuzz.cases", 2000);
  private static final long SEED = Long.getLong("rapport.fuzz.seed", 20_260_101);
  private static final int MAX_DEPTH = 6;
  private static final List<String> TEXTS =
      List.of(
          "",
          " ",
          "page_view",
          "a.b",
          "repository",
          "Europe/Berlin",
          "\0",
          "a\0b",
          "\uD83D\uDE00".repeat(70),
          "x".repeat(300),
          "null",
          "NaN",
          "'; drop table tracking.behavioral_events; --",
          "%s%n%d",
          "${jndi:ldap://x}",
          "../../etc/passwd",
          "\r\nx: y",
          "\u202E",
          "00000000-0000-0000-0000-000000000000",
          "1-1-1-1-1");
  private static final List<String> JSON =
      List.of(
          "{}",
          "[]",
          "{\"a\":1}",
          "{\"a\":1,\"a\":2}",
          "{\"a\":1e400}",
          "{\"a\":-0.0,\"b\":0.1e-400}",
          "{\"a\":\"\\u0000\"}",
          "{\"a\":\"\\ud800\"}",
          "{\"\":{\"\":null}}",
          "{\"a\":" + "[".repeat(40) + "]".repeat(40) + "}",
          "{\"repository\":\"x\",\"password\":\"y\"}",
          "{",
          "nul",
          "\uFEFF{}");

  private final Random random = new Random(SEED);

  @Test
  void neverEndsUndefined() {
    List<MethodDescriptor> rpcs = new ArrayList<>();
    for (ServiceDescriptor service : Contract.load().services()) {
      rpcs.addAll(service.getMethods());
    }
    Channel channel = rapport.channel();
    Map<Code, Integer> endings = new TreeMap<>();
    List<String> undefined = new ArrayList<>();

    for (int i = 0; i < CASES; i++) {
      MethodDescriptor rpc = rpcs.get(i % rpcs.size());
      byte[] request = request(rpc.getInputType());
      String method = rpc.getService().getFullName() + "/" + rpc.getName();
      Wire.Ending ending = Wire.call(channel, method, request);
      endings.merge(ending.code(), 1, Integer::sum);
      boolean told = ending.info().filter(info -> info.getDomain().equals("rapport")).isPresent();
      boolean defined =
          ending.code() != Code.UNKNOWN
              && ending.code() != Code.INTERNAL
              && (ending.code() == Code.OK || told);
      if (!defined) {
        undefined.add(method + " " + ending + " " + HexFormat.of().formatHex(request));
      }
    }

    assertThat(undefined).as("seed %s, endings %s", SEED, endings).isEmpty();
    assertThat(endings).as("both halves are met").containsKeys(Code.OK, Code.INVALID_ARGUMENT);
    byte[] health = HealthCheckRequest.getDefaultInstance().toByteArray();
    assertThat(Wire.call(channel, "grpc.health.v1.Health/Check", health).code()).isEqualTo(Code.OK);
  }

  private byte[] request(Descriptor type) {
    int kind = random.nextInt(10);
    if (kind == 0) {
      byte[] noise = new byte[random.nextInt(200)];
      random.nextBytes(noise);
      return noise;
    }
    byte[] message = message(type, 0).toByteArray();
    return kind < 4 ? mutated(message) : message;
  }

  private byte[] mutated(byte[] message) {
    byte[] changed = message.clone();
    for (int n = 1 + random.nextInt(3); n > 0 && changed.length > 0; n--) {
      int at = random.nextInt(changed.length);
      switch (random.nextInt(3)) {
        case 0 -> changed[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> changed[at] = (byte) random.nextInt(256);
        default -> changed = java.util.Arrays.copyOf(changed, at);
      }
    }
    return changed;
  }

  private DynamicMessage message(Descriptor type, int depth) {
    DynamicMessage.Builder message = DynamicMessage.newBuilder(type);
    for (FieldDescriptor field : type.getFields()) {
      boolean skipped = random.nextInt(4) == 0 || (depth >= MAX_DEPTH && isMessage(field));
      if (skipped) {
        continue;
      }
      if (field.isRepeated()) {
        for (int n = random.nextInt(4); n > 0; n--) {
          message.addRepeatedField(field, value(field, depth));
        }
      } else {
        message.setField(field, value(field, depth));
      }
    }
    return message.build();
  }

  private static boolean isMessage(FieldDescriptor field) {
    return field.getJavaType() == FieldDescriptor.JavaType.MESSAGE;
  }

  private Object value(FieldDescriptor field, int depth) {
    return switch (field.getJavaType()) {
      case INT -> oneOf(List.of(0, 1, 50, -1, 1000, Integer.MAX_VALUE, Integer.MIN_VALUE));
      case LONG -> oneOf(List.of(0L, 1L, 1_700_000_000L, -1L, Long.MAX_VALUE, Long.MIN_VALUE));
      case FLOAT -> oneOf(List.of(0f, Float.NaN));
      case DOUBLE ->
          oneOf(
              List.of(0d, -0d, 1.5, Double.NaN, Double.POSITIVE_INFINITY, Double.MIN_VALUE, 1e308));
      case BOOLEAN -> random.nextBoolean();
      case STRING -> text(field.getName());
      case BYTE_STRING -> ByteString.copyFrom(oneOf(JSON).getBytes(StandardCharsets.UTF_8));
      case ENUM -> field.getEnumType().findValueByNumberCreatingIfUnknown(random.nextInt(6));
      case MESSAGE -> message(field.getMessageType(), depth + 1);
    };
  }

  /** Half of the time something that the field may well take. */
  private String text(String name) {
    if (random.nextBoolean()) {
      return oneOf(TEXTS);
    }
    return switch (name) {
      case "id", "user_id", "page_token" ->
          new UUID(random.nextLong(), random.nextInt(9)).toString();
      case "provider", "event_type", "event_types" -> "page_view";
      default -> "repository";
    };
  }

  private <T> T oneOf(List<T> values) {
    return values.get(random.nextInt(values.size()));
  }
}
