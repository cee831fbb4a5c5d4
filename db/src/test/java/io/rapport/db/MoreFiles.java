package io.rapport.db;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Migrations of a test, beside those of the build. */
record MoreFiles(Path forward, Path back) {
  static MoreFiles in(Path directory) throws IOException {
    return new MoreFiles(
        Files.createDirectories(directory.resolve("migration")),
        Files.createDirectories(directory.resolve("rollback")));
  }

  MoreFiles add(int version, String name, String sql, String undo) throws IOException {
    Files.writeString(forward.resolve("V%04d__%s.sql".formatted(version, name)), sql);
    Files.writeString(back.resolve("U%04d__%s.sql".formatted(version, name)), undo);
    return this;
  }

  Migrations over(Database database) {
    return new Migrations(database, MigrationFiles.ofThisBuild().plus(forward, back));
  }
}
