package io.rapport.platform.resource;

import com.google.protobuf.Message;
import java.util.Map;
import java.util.UUID;
import java.util.function.Predicate;
import org.jooq.DSLContext;

/** Works out the fields of entities that have no column. */
@FunctionalInterface
public interface Completion<B extends Message.Builder> {
  /**
   * Sets the fields of all the entities.
   *
   * @param entities by their ids
   * @param wanted whether a field is asked for; others must stay unset
   */
  void complete(DSLContext dsl, UUID tenant, Map<UUID, B> entities, Predicate<String> wanted);
}
