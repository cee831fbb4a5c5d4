package io.rapport.platform.resource;

import io.rapport.platform.BinaryArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A statement as it is put together: its text and the values of its parameters. */
public final class Sql {
  private final StringBuilder text = new StringBuilder();
  private final List<@Nullable Object> values = new ArrayList<>();

  public Sql(String text) {
    this.text.append(text);
  }

  public Sql add(String more) {
    text.append(more);
    return this;
  }

  /** Adds a parameter, which PostgreSQL reads as a type. */
  public Sql value(@Nullable String value, String type) {
    text.append("?::").append(type);
    values.add(value);
    return this;
  }

  /** Adds a parameter of many values. */
  public Sql values(@Nullable String[] array, String type) {
    text.append("?::").append(type).append("[]");
    values.add(array);
    return this;
  }

  /** Adds a parameter that is an array of real. */
  public Sql reals(float[] array) {
    text.append("?::real[]");
    values.add(array);
    return this;
  }

  /** Adds a text with parameters of its own. */
  Sql raw(String more, List<@Nullable String> parameters) {
    text.append(more);
    values.addAll(parameters);
    return this;
  }

  public String text() {
    return text.toString();
  }

  public void bind(PreparedStatement statement, Connection connection) throws SQLException {
    for (int i = 0; i < values.size(); i++) {
      switch (values.get(i)) {
        case Object[] array -> statement.setArray(i + 1, connection.createArrayOf("text", array));
        case float[] array -> statement.setArray(i + 1, BinaryArray.ofReals(connection, array));
        case null, default -> statement.setString(i + 1, (String) values.get(i));
      }
    }
  }
}
