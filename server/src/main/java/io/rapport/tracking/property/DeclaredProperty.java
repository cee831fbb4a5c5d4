package io.rapport.tracking.property;

import io.rapport.tracking.v1.EventProperty;
import io.rapport.tracking.v1.EventProperty.Type;
import java.util.UUID;

/** A property that a tenant has declared. */
public record DeclaredProperty(UUID id, Type type, EventProperty proto) {
  boolean isReady() {
    return proto.getState() == EventProperty.State.READY;
  }
}
