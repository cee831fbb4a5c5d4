package io.rapport.search.audit;

import java.util.UUID;

/** What is audited: a tenant's vectors of a model of a kind of entity. */
record Subject(UUID tenant, String kind, String model) {}
