package io.rapport.db;

import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Where a database is and with which login it is entered. */
public record Database(String jdbcUrl, String user, String password) {
  /** The superuser of local clusters; the passwords of their roles follow from its own. */
  static final String LOCAL_ADMIN = "rapport_admin";

  /** The database that holds the schema in local clusters. */
  static final String NAME = "rapport";

  private static final Map<String, String> DRIVER_NAMES =
      Map.of(
          "application_name", "ApplicationName",
          "connect_timeout", "connectTimeout",
          "channel_binding", "channelBinding");

  /**
   * Reads {@code postgresql://user:password@host:port/db?…} or {@code jdbc:postgresql://…}.
   *
   * @throws IllegalArgumentException if it is neither, or names no user
   */
  public static Database parse(String url) {
    boolean jdbc = url.startsWith("jdbc:");
    String uri = jdbc ? url.substring("jdbc:".length()) : url;
    if (!uri.startsWith("postgresql://") && !uri.startsWith("postgres://")) {
      throw new IllegalArgumentException(
          "a database URL starts with postgresql:// or jdbc:postgresql://");
    }
    String rest = uri.substring(uri.indexOf("//") + 2);
    int question = rest.indexOf('?');
    String place = question < 0 ? rest : rest.substring(0, question);
    Map<String, String> parameters =
        parameters(question < 0 ? "" : rest.substring(question + 1), jdbc);
    int slash = place.indexOf('/');
    String authority = slash < 0 ? place : place.substring(0, slash);
    String name = slash < 0 ? "" : place.substring(slash + 1);
    takeLogin(authority, parameters);
    String hosts = authority.substring(authority.lastIndexOf('@') + 1);
    return of(hosts, name, parameters);
  }

  /** The port of the only or first host. */
  public int port() {
    return URI.create(jdbcUrl.substring("jdbc:".length())).getPort();
  }

  /** The same database, reached at another port of this machine. */
  public Database at(int port) {
    int slash = jdbcUrl.indexOf('/', "jdbc:postgresql://".length());
    return new Database(
        "jdbc:postgresql://127.0.0.1:" + port + jdbcUrl.substring(slash), user, password);
  }

  /** The database {@code name} of a cluster on this machine. */
  static Database local(int port, String name, String password) {
    return of("127.0.0.1:" + port, name, loginParameters(LOCAL_ADMIN, password));
  }

  private static Map<String, String> loginParameters(String user, String password) {
    Map<String, String> parameters = new LinkedHashMap<>();
    parameters.put("user", user);
    parameters.put("password", password);
    return parameters;
  }

  private static Database of(String hosts, String name, Map<String, String> parameters) {
    String user = parameters.remove("user");
    String password = parameters.remove("password");
    if (user == null || user.isEmpty()) {
      throw new IllegalArgumentException("the database URL names no user");
    }
    parameters.putIfAbsent("datatype.vector", "com.pgvector.PGvector");
    String place = "jdbc:postgresql://" + hosts + "/" + (name.isEmpty() ? NAME : name);
    return new Database(place + "?" + query(parameters), user, password == null ? "" : password);
  }

  private static void takeLogin(String authority, Map<String, String> parameters) {
    int at = authority.lastIndexOf('@');
    if (at < 0) {
      return;
    }
    String login = authority.substring(0, at);
    int colon = login.indexOf(':');
    parameters.put("user", decode(colon < 0 ? login : login.substring(0, colon), false));
    if (colon >= 0) {
      parameters.put("password", decode(login.substring(colon + 1), false));
    }
  }

  private static Map<String, String> parameters(String query, boolean jdbc) {
    Map<String, String> parameters = new LinkedHashMap<>();
    for (String parameter : query.split("&", -1)) {
      int equals = parameter.indexOf('=');
      if (equals > 0) {
        String name = decode(parameter.substring(0, equals), jdbc);
        parameters.put(
            DRIVER_NAMES.getOrDefault(name, name), decode(parameter.substring(equals + 1), jdbc));
      }
    }
    return parameters;
  }

  private static String query(Map<String, String> parameters) {
    return parameters.entrySet().stream()
        .map(parameter -> encode(parameter.getKey()) + "=" + encode(parameter.getValue()))
        .collect(Collectors.joining("&"));
  }

  private static String decode(String text, boolean jdbc) {
    return URLDecoder.decode(jdbc ? text : text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  /** The same database entered as {@code role}. */
  public Database as(Role role) {
    if (user.equals(role.sqlName())) {
      return this;
    }
    if (user.equals(LOCAL_ADMIN)) {
      return new Database(jdbcUrl, role.sqlName(), localPassword(role));
    }
    return with(role.startupOptions());
  }

  /** The same, with more options that each session starts with. */
  Database with(String options) {
    int question = jdbcUrl.indexOf('?');
    Map<String, String> parameters = parameters(jdbcUrl.substring(question + 1), true);
    parameters.merge("options", options, (given, added) -> given + " " + added);
    return new Database(jdbcUrl.substring(0, question + 1) + query(parameters), user, password);
  }

  /** Another database of the same cluster, with the same login. */
  Database named(String name) {
    int question = jdbcUrl.indexOf('?');
    int slash = jdbcUrl.lastIndexOf('/', question);
    return new Database(
        jdbcUrl.substring(0, slash + 1) + encode(name) + jdbcUrl.substring(question),
        user,
        password);
  }

  boolean isLocalAdmin() {
    return user.equals(LOCAL_ADMIN);
  }

  /** The password of a role of a local cluster, which only its superuser can tell. */
  String localPassword(Role role) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(password.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
      byte[] digest = mac.doFinal(role.sqlName().getBytes(StandardCharsets.UTF_8));
      return Base64.getUrlEncoder().withoutPadding().encodeToString(digest);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this JDK lacks HmacSHA256", e);
    }
  }

  /** A new connection, for those that need no pool. */
  Connection connect() throws SQLException {
    return DriverManager.getConnection(jdbcUrl, user, password);
  }

  @Override
  public String toString() {
    int question = jdbcUrl.indexOf('?');
    String place = question < 0 ? jdbcUrl : jdbcUrl.substring(0, question);
    return place.substring("jdbc:".length()) + " as " + user;
  }
}
