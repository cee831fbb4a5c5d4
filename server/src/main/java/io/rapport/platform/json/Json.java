package io.rapport.platform.json;

import com.google.protobuf.ListValue;
import com.google.protobuf.NullValue;
import com.google.protobuf.Struct;
import com.google.protobuf.UnsafeByteOperations;
import com.google.protobuf.Value;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;

/**
 * JSON objects as plain values: maps sorted by key, lists, strings, Long, BigDecimal, Boolean and
 * null. Equal data has equal values, whether it came as bytes or as a Struct.
 */
public final class Json {
  private static final int MAX_DEPTH = 32;
  private static final int MAX_NUMBER_LENGTH = 500;

  /** From here on, different integers are one double. */
  private static final double FIRST_INEXACT = 9_007_199_254_740_992.0;

  private static final BigInteger MIN_LONG = BigInteger.valueOf(Long.MIN_VALUE);
  private static final BigInteger MAX_LONG = BigInteger.valueOf(Long.MAX_VALUE);

  /** PostgreSQL gives numbers back without exponents, and so with as many zeros. */
  private static final int MAX_STORED_NUMBER_LENGTH = 2000;

  private static final JsonFactory SENT = factory(MAX_NUMBER_LENGTH);
  private static final JsonFactory STORED = factory(MAX_STORED_NUMBER_LENGTH);

  private Json() {}

  /** Keys are limited by nothing but the size of the whole, which is checked before. */
  private static JsonFactory factory(int maxNumberLength) {
    return JsonFactory.builder()
        .streamReadConstraints(
            StreamReadConstraints.builder()
                .maxNestingDepth(MAX_DEPTH)
                .maxNameLength(Integer.MAX_VALUE)
                .maxNumberLength(maxNumberLength)
                .build())
        .build();
  }

  /** Reads one JSON object in UTF-8, as it was sent. */
  public static Map<String, @Nullable Object> parse(byte[] json, String field) {
    requireUtf8(json, field);
    return parse(SENT, json, field);
  }

  /** Reads one JSON object as PostgreSQL gives it back. */
  public static Map<String, @Nullable Object> parseStored(byte[] json) {
    return parse(STORED, json, "data_json");
  }

  /** The parser guesses UTF-16 and UTF-32 from NULs, and takes over-long forms. */
  private static void requireUtf8(byte[] json, String field) {
    boolean otherEncoding = false;
    for (int i = 0; i < json.length && i < Integer.BYTES; i++) {
      otherEncoding |= json[i] == 0;
    }
    if (otherEncoding || !UnsafeByteOperations.unsafeWrap(json).isValidUtf8()) {
      throw invalid(field, "is not in UTF-8");
    }
  }

  private static Map<String, @Nullable Object> parse(
      JsonFactory factory, byte[] json, String field) {
    try (JsonParser parser = factory.createParser(ObjectReadContext.empty(), json)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw invalid(field, "must be a JSON object");
      }
      Map<String, @Nullable Object> object = readObject(parser, field);
      if (parser.nextToken() != null) {
        throw invalid(field, "must be one JSON object and nothing after it");
      }
      return object;
    } catch (StreamConstraintsException e) {
      throw tooLarge(field, e);
    } catch (NumberFormatException e) {
      throw outOfRange(field); // an exponent that no int holds
    } catch (JacksonException e) {
      throw invalid(field, "is not well-formed JSON" + place(e));
    }
  }

  private static String place(JacksonException e) {
    return e.getLocation() == null ? "" : " at byte " + e.getLocation().getByteOffset();
  }

  private static ServiceException tooLarge(String field, StreamConstraintsException e) {
    String message = String.valueOf(e.getMessage());
    return message.contains("depth")
        ? tooDeep(field)
        : ServiceException.invalid(
            field, ErrorReason.NUMBER_OUT_OF_RANGE, "has a number with too many digits");
  }

  private static Map<String, @Nullable Object> readObject(JsonParser parser, String field) {
    Map<String, @Nullable Object> object = new TreeMap<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = storable(parser.currentName(), field);
      parser.nextToken();
      if (object.containsKey(key)) {
        throw ServiceException.invalid(
            field, ErrorReason.JSON_DUPLICATE_KEY, "has a key twice in one object");
      }
      object.put(key, readValue(parser, field));
    }
    return object;
  }

  private static List<@Nullable Object> readArray(JsonParser parser, String field) {
    List<@Nullable Object> array = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      array.add(readValue(parser, field));
    }
    return array;
  }

  private static @Nullable Object readValue(JsonParser parser, String field) {
    return switch (parser.currentToken()) {
      case START_OBJECT -> readObject(parser, field);
      case START_ARRAY -> readArray(parser, field);
      case VALUE_STRING -> storable(parser.getString(), field);
      case VALUE_NUMBER_INT -> readInteger(parser, field);
      case VALUE_NUMBER_FLOAT -> number(parser.getDecimalValue(), field);
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      case null, default -> throw invalid(field, "is not well-formed JSON");
    };
  }

  private static Object readInteger(JsonParser parser, String field) {
    return switch (parser.getNumberType()) {
      case INT, LONG -> parser.getLongValue();
      default -> number(parser.getDecimalValue(), field);
    };
  }

  /** Equal numbers become equal values: 1, 1.0 and 10e-1 are one number. */
  private static Object number(BigDecimal number, String field) {
    double approximate = number.doubleValue();
    boolean tooSmall = approximate == 0 && number.signum() != 0;
    if (Double.isInfinite(approximate) || tooSmall) {
      throw outOfRange(field);
    }
    BigDecimal plain = number.stripTrailingZeros();
    if (plain.scale() > 0 || plain.precision() - plain.scale() > 19) {
      return plain;
    }
    BigInteger integer = plain.toBigIntegerExact();
    boolean fits = integer.compareTo(MIN_LONG) >= 0 && integer.compareTo(MAX_LONG) <= 0;
    return fits ? (Object) integer.longValue() : plain;
  }

  /** Reads a Struct. */
  public static Map<String, @Nullable Object> parse(Struct struct, String field) {
    return readStruct(struct, field, 1);
  }

  private static Map<String, @Nullable Object> readStruct(Struct struct, String field, int depth) {
    requireDepth(depth, field);
    Map<String, @Nullable Object> object = new TreeMap<>();
    struct
        .getFieldsMap()
        .forEach((key, value) -> object.put(storable(key, field), readValue(value, field, depth)));
    return object;
  }

  private static List<@Nullable Object> readList(ListValue list, String field, int depth) {
    requireDepth(depth, field);
    List<@Nullable Object> array = new ArrayList<>();
    list.getValuesList().forEach(value -> array.add(readValue(value, field, depth)));
    return array;
  }

  private static @Nullable Object readValue(Value value, String field, int depth) {
    return switch (value.getKindCase()) {
      case STRUCT_VALUE -> readStruct(value.getStructValue(), field, depth + 1);
      case LIST_VALUE -> readList(value.getListValue(), field, depth + 1);
      case STRING_VALUE -> storable(value.getStringValue(), field);
      case NUMBER_VALUE -> readDouble(value.getNumberValue(), field);
      case BOOL_VALUE -> value.getBoolValue();
      case NULL_VALUE -> null;
      case KIND_NOT_SET -> throw invalid(field, "has a value without a kind");
    };
  }

  private static Object readDouble(double number, String field) {
    boolean mayHaveLostDigits = Math.rint(number) == number && Math.abs(number) >= FIRST_INEXACT;
    if (Double.isNaN(number) || Double.isInfinite(number) || mayHaveLostDigits) {
      throw ServiceException.invalid(
          field,
          ErrorReason.NUMBER_NOT_EXACT,
          "has NaN, an infinity or an integer of 2^53 or more, of which a double may have lost"
              + " digits; send JSON bytes or a string");
    }
    return number(BigDecimal.valueOf(number), field);
  }

  /** Whether a Struct can hold the value: whether a double holds each of its numbers exactly. */
  public static boolean fitsStruct(@Nullable Object value) {
    return switch (value) {
      case Long number -> Math.abs(number.doubleValue()) < FIRST_INEXACT;
      case BigDecimal number -> BigDecimal.valueOf(number.doubleValue()).compareTo(number) == 0;
      case List<?> list -> list.stream().allMatch(Json::fitsStruct);
      case Map<?, ?> map -> map.values().stream().allMatch(Json::fitsStruct);
      case null, default -> true;
    };
  }

  /** The object, which {@linkplain #fitsStruct fits}, as a Struct. */
  public static Struct toStruct(Map<String, @Nullable Object> object) {
    return toStructOf(object);
  }

  private static Value toValue(@Nullable Object value) {
    Value.Builder built = Value.newBuilder();
    return switch (value) {
      case null -> built.setNullValue(NullValue.NULL_VALUE).build();
      case String text -> built.setStringValue(text).build();
      case Boolean bool -> built.setBoolValue(bool).build();
      case Number number -> built.setNumberValue(number.doubleValue()).build();
      case List<?> list -> built.setListValue(toListValue(list)).build();
      case Map<?, ?> map -> built.setStructValue(toStructOf(map)).build();
      default -> throw new IllegalStateException("no JSON value: " + value.getClass());
    };
  }

  private static ListValue toListValue(List<?> list) {
    ListValue.Builder values = ListValue.newBuilder();
    list.forEach(value -> values.addValues(toValue(value)));
    return values.build();
  }

  private static Struct toStructOf(Map<?, ?> map) {
    Struct.Builder struct = Struct.newBuilder();
    map.forEach((key, value) -> struct.putFields(String.valueOf(key), toValue(value)));
    return struct.build();
  }

  /** PostgreSQL holds neither NUL nor half of a surrogate pair. */
  private static String storable(String text, String field) {
    Texts.problem(text)
        .ifPresent(reason -> {
          throw ServiceException.invalid(field, reason, Texts.describe(reason));
        });
    return text;
  }

  private static ServiceException outOfRange(String field) {
    return ServiceException.invalid(
        field, ErrorReason.NUMBER_OUT_OF_RANGE, "has a number that is out of a double's range");
  }

  private static void requireDepth(int depth, String field) {
    if (depth > MAX_DEPTH) {
      throw tooDeep(field);
    }
  }

  private static ServiceException tooDeep(String field) {
    return ServiceException.invalid(
        field, ErrorReason.JSON_TOO_DEEP, "is nested deeper than " + MAX_DEPTH + " levels");
  }

  private static ServiceException invalid(String field, String description) {
    return ServiceException.invalid(field, ErrorReason.JSON_INVALID, description);
  }
}
