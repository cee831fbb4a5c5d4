package io.rapport.delivery;

import static io.rapport.delivery.Entities.field;
import static io.rapport.delivery.Entities.id;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.api.FieldBehavior;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import io.rapport.platform.v1.IdFilter;
import io.rapport.platform.v1.NumberFilter;
import io.rapport.platform.v1.Resource;
import io.rapport.platform.v1.ResourceProto;
import io.rapport.platform.v1.TextFilter;
import io.rapport.platform.v1.TimeFilter;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** What every entity of delivery can do, as its descriptor says it. */
class EveryEntityTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final List<String> KINDS = Entities.KINDS;

  /** Tables that are no entity's of the resource engine. */
  private static final Set<String> GLOBAL =
      Set.of("delivery.dora_market_benchmarks", "delivery.dora_metric_insights");

  @Test
  void areAllTheTablesOfDelivery() {
    Set<String> tables = new TreeSet<>(GLOBAL);
    KINDS.forEach(kind -> tables.add(options(kind).getTable()));
    assertThat(tables).hasSize(20);
    tables.add("delivery.changed_meanings"); // which are work, and no entities

    assertThat(
            rapport
                .sql()
                .fetch(
                    "SELECT schemaname || '.' || tablename FROM pg_tables"
                        + " WHERE schemaname = 'delivery'")
                .getValues(0, String.class))
        .containsExactlyInAnyOrderElementsOf(tables);
  }

  private static Resource options(String kind) {
    return type(kind).getOptions().getExtension(ResourceProto.resource);
  }

  private static Descriptor type(String kind) {
    return Entities.prototype(kind).getDescriptorForType();
  }

  @ParameterizedTest
  @FieldSource("KINDS")
  void keepsEveryFieldThatCanBeSet(String kind) {
    Entities entities = new Entities(rapport.channel());
    Message sent = entities.described(kind, true);

    Message made = entities.create(sent);

    Message read = entities.get(kind, "id", id(made));
    assertThat(read).isEqualTo(made);
    for (FieldDescriptor field : Entities.settable(type(kind))) {
      assertThat(sent.getAllFields()).as(field.getName()).containsKey(field);
      assertThat(read.getField(field)).as(field.getName()).isEqualTo(sent.getField(field));
    }
  }

  @ParameterizedTest
  @FieldSource("KINDS")
  void isFoundByItsNaturalKey(String kind) {
    Entities entities = new Entities(rapport.channel());
    Message made = entities.create(entities.described(kind, false));

    assertThat(byKey(entities, made)).isEqualTo(made);
    assertThat(Told.by(() -> entities.create(without(made, "id", "etag"))).reason())
        .isEqualTo("RESOURCE_EXISTS");
    assertThat(entities.upsert(without(made, "id", "etag"))).isEqualTo(made);
  }

  private static Message without(Message entity, String... names) {
    Message.Builder less = entity.toBuilder();
    for (String name : names) {
      less.clearField(field(entity.getDescriptorForType(), name));
    }
    return less.build();
  }

  private static Message byKey(Entities entities, Message made) {
    Descriptor type = made.getDescriptorForType();
    List<String> key = options(type.getName()).getNaturalKeyList();
    if (key.size() == 1) {
      return entities.get(
          type.getName(), key.getFirst(), made.getField(field(type, key.getFirst())));
    }
    Message.Builder natural = Entities.prototype(type.getName() + "Key").newBuilderForType();
    for (String name : key) {
      natural.setField(
          field(natural.getDescriptorForType(), name), made.getField(field(type, name)));
    }
    return entities.get(type.getName(), "natural_key", natural.build());
  }

  @ParameterizedTest
  @FieldSource("KINDS")
  void clearsWhatAWholeUpdateDoesNotSet(String kind) {
    Entities entities = new Entities(rapport.channel());
    Message bare = entities.described(kind, false);
    Message made = entities.create(entities.described(kind, true));

    Message cleared =
        entities.update(
            bare.toBuilder()
                .setField(field(type(kind), "id"), id(made))
                .setField(field(type(kind), "etag"), made.getField(field(type(kind), "etag")))
                .build(),
            "*");

    for (FieldDescriptor field : Entities.settable(type(kind))) {
      boolean kept = bare.getAllFields().containsKey(field) || hasAlwaysAValue(field);
      boolean isSet = cleared.getAllFields().containsKey(field);
      assertThat(isSet).as(field.getName()).isEqualTo(kept);
    }
  }

  private static boolean hasAlwaysAValue(FieldDescriptor field) {
    return Set.of("active", "is_commitment_point", "comment_count").contains(field.getName())
        || (Entities.is(field, FieldBehavior.IMMUTABLE)
            && !Entities.is(field, FieldBehavior.REQUIRED));
  }

  @ParameterizedTest
  @FieldSource("KINDS")
  void isFoundByEveryFilter(String kind) {
    Entities entities = new Entities(rapport.channel());
    Message made = entities.create(entities.described(kind, true));
    Message filter = Entities.prototype(kind + "Filter");

    int filters = 0;
    for (FieldDescriptor field : filter.getDescriptorForType().getFields()) {
      filters++;
      FieldDescriptor own = field(type(kind), field.getName());
      boolean isSet = !own.hasPresence() || made.hasField(own);
      Object value = made.getField(own);
      for (Object passing : passing(field, value)) {
        assertThat(entities.list(kind, with(filter, field, passing)))
            .as(field.getName() + " " + passing)
            .matches(ids -> ids.contains(id(made)) == isSet);
      }
      for (Object failing : failing(field, value)) {
        assertThat(entities.list(kind, with(filter, field, failing)))
            .as(field.getName() + " not " + failing)
            .doesNotContain(id(made));
      }
    }
    assertThat(filters).isPositive();
  }

  private static Message.Builder with(Message filter, FieldDescriptor field, Object value) {
    Message.Builder with = filter.newBuilderForType();
    return field.isRepeated() ? with.addRepeatedField(field, value) : with.setField(field, value);
  }

  private static List<Object> passing(FieldDescriptor filter, Object value) {
    return switch (value) {
      case String text when isOf(filter, TextFilter.getDescriptor()) ->
          List.of(
              TextFilter.newBuilder().addValues("other").addValues(text).build(),
              TextFilter.newBuilder().setPrefix(text.substring(0, text.length() - 1)).build());
      case String id -> List.of(IdFilter.newBuilder().addValues(id).build());
      case Timestamp time ->
          List.of(
              TimeFilter.newBuilder()
                  .setFrom(time)
                  .setTo(Timestamps.add(time, com.google.protobuf.util.Durations.fromMicros(1)))
                  .build());
      case Number number ->
          List.of(
              NumberFilter.newBuilder()
                  .setMin(number.doubleValue())
                  .setMax(number.doubleValue())
                  .build());
      default -> List.of(value);
    };
  }

  private static List<Object> failing(FieldDescriptor filter, Object value) {
    List<Object> failing = new ArrayList<>();
    switch (value) {
      case String text when isOf(filter, TextFilter.getDescriptor()) -> {
        failing.add(TextFilter.newBuilder().addValues(text + "x").build());
        failing.add(TextFilter.newBuilder().setPrefix(text + "x").build());
      }
      case String _ -> failing.add(IdFilter.newBuilder().addValues(Given.id()).build());
      case Timestamp time -> failing.add(TimeFilter.newBuilder().setTo(time).build());
      case Number number ->
          failing.add(NumberFilter.newBuilder().setMin(number.doubleValue() + 1).build());
      case Boolean yes -> failing.add(!yes);
      case EnumValueDescriptor it -> failing.add(it.getType().findValueByNumber(2));
      default -> throw new AssertionError(filter.getFullName());
    }
    return failing;
  }

  private static boolean isOf(FieldDescriptor filter, Descriptor type) {
    return filter.getMessageType().getFullName().equals(type.getFullName());
  }

  @ParameterizedTest
  @FieldSource("KINDS")
  void doesNotNameWhatIsAnotherTenants(String kind) {
    Entities entities = new Entities(rapport.channel());
    Entities theirs =
        new Entities(
            rapport.channel(
                rapport.tokens().of(rapport.newTenant(), "delivery.read delivery.write")));
    Message own = entities.described(kind, true);
    Message their = theirs.described(kind, true);
    String path = snake(kind);
    for (FieldDescriptor field : Entities.settable(type(kind))) {
      if (Entities.parent(field).isPresent()) {
        Message mixed = own.toBuilder().setField(field, their.getField(field)).build();
        for (Told told :
            List.of(Told.by(() -> entities.create(mixed)), Told.by(() -> entities.upsert(mixed)))) {
          assertThat(told.reason()).isEqualTo("RESOURCE_NOT_FOUND");
          assertThat(told.metadata()).containsEntry("field", path + "." + field.getName());
        }
      }
    }
    assertThat(byKeyOrNone(entities, own)).isEqualTo("RESOURCE_NOT_FOUND");
  }

  private static String byKeyOrNone(Entities entities, Message own) {
    return Told.by(() -> byKey(entities, own)).reason();
  }

  private static String snake(String kind) {
    return Pattern.compile("(?<!^)([A-Z])")
        .matcher(kind)
        .replaceAll("_$1")
        .toLowerCase(Locale.ROOT);
  }

  @ParameterizedTest
  @FieldSource("KINDS")
  void keepsWhatOthersReferTo(String kind) {
    Entities entities = new Entities(rapport.channel());
    Message made = entities.create(entities.described(kind, true));
    for (FieldDescriptor field : Entities.settable(type(kind))) {
      String parent = Entities.parent(field).orElse("");
      if (!parent.isEmpty()) {
        String id = (String) made.getField(field);
        assertThat(Told.by(() -> entities.delete(parent, id, true)).reason())
            .as(field.getName())
            .isEqualTo("RESOURCE_IN_USE");
        entities.delete(parent, id, false);
        assertThat(id(entities.get(parent, "id", id))).isEqualTo(id);
      }
    }

    entities.delete(kind, id(made), true);

    assertThat(Told.by(() -> entities.get(kind, "id", id(made))).reason())
        .isEqualTo("RESOURCE_NOT_FOUND");
  }
}
