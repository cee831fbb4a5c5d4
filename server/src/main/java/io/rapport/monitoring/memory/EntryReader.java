package io.rapport.monitoring.memory;

import io.rapport.monitoring.v1.LearningEntry;
import java.util.Collection;
import java.util.Map;
import java.util.UUID;
import org.jooq.DSLContext;

/** Reads entries by their ids. */
@FunctionalInterface
public interface EntryReader {
  Map<UUID, LearningEntry> read(DSLContext dsl, UUID tenant, Collection<UUID> ids);
}
