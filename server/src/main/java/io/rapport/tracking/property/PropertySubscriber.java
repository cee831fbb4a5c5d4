package io.rapport.tracking.property;

import io.rapport.platform.ChangeSubscriber;

/** Indexes events by the declared properties of their tenant as they are recorded. */
final class PropertySubscriber implements ChangeSubscriber {
  @Override
  public boolean concerns(String kind) {
    return kind.equals(EVENT);
  }

  @Override
  public String statement() {
    return """
    INSERT INTO tracking.event_property_values (tenant_id, property_id, event_id,
      occurred_at, recorded_at, text_value, number_value, boolean_value)
    SELECT p.tenant_id, p.id, e.id, e.occurred_at, e.recorded_at, v.*
      FROM events e
      JOIN tracking.event_properties p ON p.tenant_id = e.tenant_id,
        tracking.typed_value(p.type, e.event_data #> string_to_array(p.name, '.')) v
     WHERE (SELECT EXISTS (SELECT FROM tracking.event_properties p
                            WHERE p.tenant_id IN (SELECT tenant_id FROM changes)))
    RETURNING 1
    """;
  }
}
