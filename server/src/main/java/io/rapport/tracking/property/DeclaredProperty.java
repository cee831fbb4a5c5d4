package io.rapport.tracking.property;

import io.rapport.tracking.v1.EventProperty;
import java.util.UUID;

/** A property that a tenant has declared. */
public record DeclaredProperty(UUID id, EventProperty.Type type, EventProperty proto) {
  boolean isReady() {
    return proto.getState() == EventProperty.State.READY;
  }
}
