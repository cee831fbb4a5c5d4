package io.rapport.platform.resource;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A statement as it is put together: its text and the values of its parameters. */
final class Sql {
  private final StringBuilder text = new StringBuilder();
  private final List<@Nullable Object> values = new ArrayList<>();

  Sql(String text) {
    this.text.append(text);
  }

  Sql add(String more) {
    text.append(more);
    return this;
  }

  /** Adds a parameter, which PostgreSQL reads as a type. */
  Sql value(@Nullable String value, String type) {
    text.append("?::").append(type);
    values.add(value);
    return this;
  }

  /** Adds a parameter of many values. */
  Sql values(@Nullable String[] array, String type) {
    text.append("?::").append(type).append("[]");
    values.add(array);
    return this;
  }

  /** Adds a text with parameters of its own. */
  Sql raw(String more, List<@Nullable String> parameters) {
    text.append(more);
    values.addAll(parameters);
    return this;
  }

  String text() {
    return text.toString();
  }

  void bind(PreparedStatement statement, Connection connection) throws SQLException {
    for (int i = 0; i < values.size(); i++) {
      if (values.get(i) instanceof Object[] array) {
        statement.setArray(i + 1, connection.createArrayOf("text", array));
      } else {
        statement.setString(i + 1, (String) values.get(i));
      }
    }
  }
}
