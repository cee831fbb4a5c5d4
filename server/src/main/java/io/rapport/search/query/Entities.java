package io.rapport.search.query;

import com.google.protobuf.FieldMask;
import com.google.protobuf.Message;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.Map;
import java.util.UUID;

/** Reads entities of one kind. */
@FunctionalInterface
interface Entities {
  /** Those that are there, by their ids, with the fields that the mask names. */
  Map<UUID, ? extends Message> read(
      Connection db, UUID tenant, Collection<UUID> ids, FieldMask mask) throws SQLException;
}
