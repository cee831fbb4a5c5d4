package io.rapport.db.codegen;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.rapport.db.Database;
import io.rapport.db.Durability;
import io.rapport.db.LocalPostgres;
import io.rapport.db.Migrations;
import io.rapport.db.VectorBinding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jooq.Constants;
import org.jooq.codegen.GenerationTool;
import org.jooq.meta.jaxb.Configuration;
import org.jooq.meta.jaxb.ForcedType;
import org.jooq.meta.jaxb.Generate;
import org.jooq.meta.jaxb.Generator;
import org.jooq.meta.jaxb.Jdbc;
import org.jooq.meta.jaxb.Logging;
import org.jooq.meta.jaxb.SchemaMappingType;
import org.jooq.meta.jaxb.Target;

/** Writes the jOOQ classes of a database that was just migrated from empty. */
public final class GenerateSources {
  private static final String SCHEMAS =
      """
      SELECT nspname FROM pg_namespace
       WHERE nspowner = 'rapport_migrator'::regrole AND nspname <> 'schema_history'
       ORDER BY nspname
      """;
  private static final String PARTITIONS =
      "SELECT relname FROM pg_class WHERE relispartition ORDER BY relname";

  private GenerateSources() {}

  /** Takes the module's directory; does nothing if nothing has changed since the last time. */
  public static void main(String[] arguments) throws Exception {
    System.setProperty("org.jooq.no-logo", "true");
    System.setProperty("org.jooq.no-tips", "true");
    Path module = Path.of(arguments[0]);
    Path sources = module.resolve("target/generated-sources/jooq");
    Path stamp = module.resolve("target/generated-sources/jooq.sha256");
    String digest = digest(module);
    if (Files.exists(stamp) && Files.readString(stamp).equals(digest)) {
      return;
    }
    Files.deleteIfExists(stamp);
    generate(sources);
    Files.writeString(stamp, digest);
  }

  private static String digest(Path module) throws Exception {
    MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
    sha256.update(Constants.FULL_VERSION.getBytes(UTF_8));
    for (Path file : inputs(module)) {
      sha256.update(module.relativize(file).toString().getBytes(UTF_8));
      sha256.update(Files.readAllBytes(file));
    }
    return HexFormat.of().formatHex(sha256.digest());
  }

  private static List<Path> inputs(Path module) throws IOException {
    try (Stream<Path> resources = Files.walk(module.resolve("src/main/resources/db/migration"));
        Stream<Path> classes = Files.walk(module.resolve("src/main/java"))) {
      return Stream.concat(resources, classes).filter(Files::isRegularFile).sorted().toList();
    }
  }

  private static void generate(Path sources) throws Exception {
    try (LocalPostgres postgres = LocalPostgres.temporary(Durability.NONE)) {
      Migrations.of(postgres.database()).migrate();
      GenerationTool.generate(configuration(postgres.database(), sources));
    }
  }

  private static Configuration configuration(Database database, Path sources) throws SQLException {
    return new Configuration()
        .withLogging(Logging.WARN)
        .withJdbc(
            new Jdbc()
                .withUrl(database.jdbcUrl())
                .withUser(database.user())
                .withPassword(database.password()))
        .withGenerator(
            new Generator()
                .withDatabase(tables(database))
                .withGenerate(
                    new Generate()
                        .withSpringAnnotations(false)
                        .withComments(false)
                        .withDeprecationOnUnknownTypes(false))
                .withTarget(
                    new Target()
                        .withPackageName("io.rapport.db.generated")
                        .withDirectory(sources.toString())));
  }

  private static org.jooq.meta.jaxb.Database tables(Database database) throws SQLException {
    return new org.jooq.meta.jaxb.Database()
        .withName("org.jooq.meta.postgres.PostgresDatabase")
        .withSchemata(
            names(database, SCHEMAS).stream()
                .map(schema -> new SchemaMappingType().withInputSchema(schema))
                .toList())
        .withExcludes(
            names(database, PARTITIONS).stream()
                .map(Pattern::quote)
                .collect(Collectors.joining("|")))
        .withForcedTypes(
            new ForcedType()
                .withName("INSTANT")
                .withIncludeTypes("(?i:timestamptz|timestamp with time zone)"),
            new ForcedType()
                .withUserType("float[]")
                .withBinding(VectorBinding.class.getName())
                .withIgnoreUnused(true)
                .withIncludeTypes("(?i:vector|halfvec)"));
  }

  private static List<String> names(Database database, String query) throws SQLException {
    List<String> names = new ArrayList<>();
    try (Connection connection =
            DriverManager.getConnection(database.jdbcUrl(), database.user(), database.password());
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(query)) {
      while (rows.next()) {
        names.add(rows.getString(1));
      }
    }
    return names;
  }
}
