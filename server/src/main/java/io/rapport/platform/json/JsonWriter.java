package io.rapport.platform.json;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes the values of {@link Json} in their one form: sorted, without blanks. */
public final class JsonWriter {
  private static final String HEX = "0123456789abcdef";

  private JsonWriter() {}

  public static void write(@Nullable Object value, ByteWriter out) {
    switch (value) {
      case null -> out.putText("null");
      case String text -> writeString(text, out);
      case Long number -> out.putText(number.toString());
      case BigDecimal number -> out.putText(number.toString());
      case Boolean bool -> out.putText(bool ? "true" : "false");
      case Map<?, ?> object -> writeObject(object, out);
      case List<?> array -> writeArray(array, out);
      default -> throw new IllegalStateException("no JSON value: " + value.getClass());
    }
  }

  private static void writeObject(Map<?, ?> object, ByteWriter out) {
    char separator = '{';
    for (Map.Entry<?, ?> entry : object.entrySet()) {
      out.putByte(separator);
      writeString((String) entry.getKey(), out);
      out.putByte(':');
      write(entry.getValue(), out);
      separator = ',';
    }
    if (object.isEmpty()) {
      out.putByte('{');
    }
    out.putByte('}');
  }

  private static void writeArray(List<?> array, ByteWriter out) {
    out.putByte('[');
    for (int i = 0; i < array.size(); i++) {
      if (i > 0) {
        out.putByte(',');
      }
      write(array.get(i), out);
    }
    out.putByte(']');
  }

  private static void writeString(String text, ByteWriter out) {
    out.putByte('"');
    if (needsEscape(text)) {
      writeEscaped(text, out);
    } else {
      out.putText(text);
    }
    out.putByte('"');
  }

  private static boolean needsEscape(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (isSpecial(text.charAt(i))) {
        return true;
      }
    }
    return false;
  }

  private static boolean isSpecial(char c) {
    return c < 0x20 || c == '"' || c == '\\';
  }

  private static void writeEscaped(String text, ByteWriter out) {
    int plain = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (isSpecial(c)) {
        out.putText(text.substring(plain, i));
        writeEscape(c, out);
        plain = i + 1;
      }
    }
    out.putText(text.substring(plain));
  }

  private static void writeEscape(char c, ByteWriter out) {
    if (c >= 0x20) {
      out.putByte('\\').putByte(c);
    } else {
      out.putText("\\u00").putByte(HEX.charAt(c >> 4)).putByte(HEX.charAt(c & 0xf));
    }
  }
}
