package io.rapport.db;

import com.pgvector.PGvector;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import org.jooq.Binding;
import org.jooq.BindingGetResultSetContext;
import org.jooq.BindingGetSQLInputContext;
import org.jooq.BindingGetStatementContext;
import org.jooq.BindingRegisterContext;
import org.jooq.BindingSQLContext;
import org.jooq.BindingSetSQLOutputContext;
import org.jooq.BindingSetStatementContext;
import org.jooq.Converter;
import org.jooq.impl.DSL;

/** Lets columns of pgvector's types be {@code float[]}. */
public final class VectorBinding implements Binding<Object, float[]> {
  private static final long serialVersionUID = 1L;

  @Override
  public Converter<Object, float[]> converter() {
    return Converter.ofNullable(
        Object.class, float[].class, VectorBinding::floats, VectorBinding::vector);
  }

  private static float[] floats(Object value) {
    try {
      return value instanceof PGvector vector
          ? vector.toArray()
          : new PGvector(value.toString()).toArray();
    } catch (SQLException e) {
      throw new IllegalArgumentException("not a vector", e);
    }
  }

  private static Object vector(float[] value) {
    return new PGvector(value);
  }

  @Override
  public void sql(BindingSQLContext<float[]> context) {
    context.render().visit(DSL.sql("?::vector"));
  }

  @Override
  public void set(BindingSetStatementContext<float[]> context) throws SQLException {
    context.statement().setObject(context.index(), context.convert(converter()).value());
  }

  @Override
  public void get(BindingGetResultSetContext<float[]> context) throws SQLException {
    context.convert(converter()).value(context.resultSet().getObject(context.index()));
  }

  @Override
  public void register(BindingRegisterContext<float[]> context) throws SQLException {
    throw new SQLFeatureNotSupportedException();
  }

  @Override
  public void get(BindingGetStatementContext<float[]> context) throws SQLException {
    throw new SQLFeatureNotSupportedException();
  }

  @Override
  public void set(BindingSetSQLOutputContext<float[]> context) throws SQLException {
    throw new SQLFeatureNotSupportedException();
  }

  @Override
  public void get(BindingGetSQLInputContext<float[]> context) throws SQLException {
    throw new SQLFeatureNotSupportedException();
  }
}
