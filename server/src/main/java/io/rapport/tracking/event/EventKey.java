package io.rapport.tracking.event;

import java.util.UUID;

/** What tells an event from all others: ids are a tenant's own. */
record EventKey(UUID tenant, UUID event) {}
