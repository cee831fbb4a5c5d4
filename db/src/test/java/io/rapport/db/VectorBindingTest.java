package io.rapport.db;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import org.jooq.DataType;
import org.jooq.Field;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.jooq.impl.SQLDataType;
import org.junit.jupiter.api.Test;

class VectorBindingTest {
  private static final DataType<float[]> VECTOR =
      SQLDataType.OTHER.asConvertedDataType(new VectorBinding());

  @Test
  void writesAndReadsFloats() throws Exception {
    Database database = TestCluster.migratedDatabase();
    TestCluster.execute(database, "CREATE TABLE public.v (a vector(3), b halfvec(3))");
    Field<float[]> exact = DSL.field("a", VECTOR);
    Field<float[]> half = DSL.field("b", VECTOR);
    float[] value = {1f, -0.5f, 0.25f};
    try (Connection connection = database.connect()) {
      var db = DSL.using(connection, SQLDialect.POSTGRES);
      db.insertInto(DSL.table("public.v")).columns(exact, half).values(value, value).execute();
      db.insertInto(DSL.table("public.v")).defaultValues().execute();

      var rows = db.select(exact, half).from("public.v").orderBy(exact).fetch();

      assertThat(rows.get(0).value1()).containsExactly(value);
      assertThat(rows.get(0).value2()).containsExactly(value);
      assertThat(rows.get(1).value1()).isNull();
    }
  }
}
