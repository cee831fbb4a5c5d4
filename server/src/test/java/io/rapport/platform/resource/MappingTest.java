package io.rapport.platform.resource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Message;
import io.rapport.db.generated.identity.Tables;
import io.rapport.delivery.v1.Workflow;
import io.rapport.identity.v1.Tenant;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.UserPermission;
import io.rapport.platform.Contract;
import io.rapport.platform.v1.ResourceProto;
import java.util.List;
import org.jooq.DataType;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.Table;
import org.jooq.UniqueKey;
import org.jooq.impl.DSL;
import org.jooq.impl.SQLDataType;
import org.jooq.impl.TableImpl;
import org.junit.jupiter.api.Test;

/** What doesn't go together is refused when the server starts. */
class MappingTest {
  @Test
  void everyResourceOfTheContractGoesWithItsTable() throws Exception {
    int resources = 0;
    for (FileDescriptor file : Contract.load().ownFiles()) {
      for (Descriptor type : file.getMessageTypes()) {
        if (type.getOptions().hasExtension(ResourceProto.resource)) {
          resources++;
          Class<?> generated =
              Class.forName(file.getOptions().getJavaPackage() + "." + type.getName());
          Message prototype = (Message) generated.getMethod("getDefaultInstance").invoke(null);
          assertThat(Resources.mapping(prototype).readable()).isNotEmpty();
        }
      }
    }
    assertThat(resources).isGreaterThanOrEqualTo(4);
  }

  @Test
  void refusesAMessageThatIsNoResource() {
    assertThatThrownBy(() -> Resources.mapping(Tenant.getDefaultInstance()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("there is no table");
  }

  @Test
  void namesAllThatDoesNotGoTogether() {
    assertThatThrownBy(() -> new Mapping(User.getDefaultInstance(), Tables.SIGN_INS))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("rapport.identity.v1.User and its table identity.sign_ins")
        .hasMessageContaining("the field email has no column")
        .hasMessageContaining("the column token_hash is neither a field nor hidden");
  }

  @Test
  void refusesAColumnOfAnotherType() {
    Altered table = new Altered("granted", SQLDataType.CLOB.nullable(false));

    assertThatThrownBy(() -> new Mapping(UserPermission.getDefaultInstance(), table))
        .hasMessageContaining("the field granted can't be a column of type");
  }

  @Test
  void refusesAColumnThatMustBeSetAndMayBeUnset() {
    Altered table = new Altered("active", SQLDataType.BOOLEAN.nullable(false));

    assertThatThrownBy(() -> new Mapping(UserPermission.getDefaultInstance(), table))
        .hasMessageContaining("its column is NOT NULL without a default");
  }

  @Test
  void refusesAnEnumThatTheTableDoesNotHold() {
    Altered table = new Altered(Tables.USERS, "none", SQLDataType.CLOB);

    assertThatThrownBy(() -> new Mapping(User.getDefaultInstance(), table))
        .hasMessageContaining("no check allows the column role exactly")
        .hasMessageContaining("the column none is neither a field nor hidden");
  }

  @Test
  void refusesANaturalKeyThatNothingHolds() {
    Altered table = new Altered("none", SQLDataType.CLOB);

    assertThatThrownBy(() -> new Mapping(UserPermission.getDefaultInstance(), table))
        .hasMessageContaining("no unique constraint holds its natural key");
  }

  @Test
  void refusesAnOptionalPartOfANaturalKeyThatIsAlwaysThere() {
    Altered table =
        new Altered(
            io.rapport.db.generated.delivery.Tables.WORKFLOWS,
            "integration_id",
            SQLDataType.UUID.nullable(false));

    assertThatThrownBy(() -> new Mapping(Workflow.getDefaultInstance(), table))
        .hasMessageContaining("the field integration_id can't be optional in a natural key");
  }

  /** A table with one column that differs or is added, and without keys and checks. */
  private static final class Altered extends TableImpl<Record> {
    private static final long serialVersionUID = 1;

    Altered(String name, DataType<?> type) {
      this(Tables.USER_PERMISSIONS, name, type);
    }

    Altered(Table<?> like, String name, DataType<?> type) {
      super(DSL.name("altered"));
      for (Field<?> field : like.fields()) {
        if (!field.getName().equals(name)) {
          createField(DSL.name(field.getName()), field.getDataType(), this);
        }
      }
      createField(DSL.name(name), type, this);
    }

    @Override
    public List<UniqueKey<Record>> getUniqueKeys() {
      return List.of();
    }
  }
}
