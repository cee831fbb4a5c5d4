package io.rapport.db;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class DatabaseTest {
  @Test
  void readsTheFormOfLibpq() {
    Database database = Database.parse("postgresql://me:p%40ss+word@db:5433/app?sslmode=require");

    assertThat(database.user()).isEqualTo("me");
    assertThat(database.password()).isEqualTo("p@ss+word");
    assertThat(database.jdbcUrl())
        .isEqualTo(
            "jdbc:postgresql://db:5433/app?sslmode=require"
                + "&datatype.vector=com.pgvector.PGvector");
  }

  @Test
  void readsTheFormOfJdbc() {
    Database database = Database.parse("jdbc:postgresql://db/app?user=me&password=a%26b");

    assertThat(database.user()).isEqualTo("me");
    assertThat(database.password()).isEqualTo("a&b");
  }

  @Test
  void becomesARole() {
    Database database = Database.parse("postgresql://me:secret@db/app?options=-c%20jit%3Doff");

    assertThat(database.as(Role.SERVER).jdbcUrl())
        .contains("options=-c+jit%3Doff+-c+role%3Drapport_server+");
    assertThat(Database.parse("postgresql://rapport_server:x@db/app").as(Role.SERVER).jdbcUrl())
        .doesNotContain("options");
  }

  @Test
  void keepsItsPasswordToItself() {
    assertThat(Database.parse("postgresql://me:secret@db/app"))
        .hasToString("postgresql://db/app as me");
    assertThatThrownBy(() -> Database.parse("mysql://me:secret@db/app"))
        .hasMessageNotContaining("secret");
    assertThatThrownBy(() -> Database.parse("postgresql://db/app"))
        .hasMessage("the database URL names no user");
  }
}
