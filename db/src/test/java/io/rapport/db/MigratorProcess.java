package io.rapport.db;

import java.nio.file.Path;

/** A migrator in a process of its own, so that it can be killed. */
final class MigratorProcess {
  private MigratorProcess() {}

  /** Takes the JDBC URL, user, password, and the two folders of more files. */
  public static void main(String[] arguments) {
    Database database = new Database(arguments[0], arguments[1], arguments[2]);
    MigrationFiles files =
        MigrationFiles.ofThisBuild().plus(Path.of(arguments[3]), Path.of(arguments[4]));
    new Migrations(database, files).migrate();
  }

  static Process start(Database database, MoreFiles more) throws Exception {
    return TestCluster.java(
        MigratorProcess.class,
        database.jdbcUrl(),
        database.user(),
        database.password(),
        more.forward().toString(),
        more.back().toString());
  }
}
