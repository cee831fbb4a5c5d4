package io.rapport.tracking.event;

import io.rapport.platform.ChangeSubscriber;

/** Makes texts of events documents that search finds, in the commit that records the events. */
final class TextSubscriber implements ChangeSubscriber {
  @Override
  public boolean concerns(String kind) {
    return kind.equals(TEXT);
  }

  @Override
  public String statement() {
    return """
    INSERT INTO search.documents (tenant_id, kind, id, content)
    SELECT e.tenant_id, 'tracking.behavioral_event', e.id, left(btrim(e.event_text), 32768)
      FROM events e
      JOIN searchable s ON s.tenant_id = e.tenant_id AND s.event_id = e.id
     WHERE btrim(e.event_text) <> ''
     ORDER BY e.tenant_id, e.id
    RETURNING 1
    """;
  }
}
