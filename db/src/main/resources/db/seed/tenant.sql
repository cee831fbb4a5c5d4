-- What a tenant begins with. A row whose key is there already is left as it is, also if it is not
-- active; what is made is logged as one commit of the tenant.
CREATE TEMPORARY TABLE seeded (kind text NOT NULL, id uuid NOT NULL) ON COMMIT DROP;

-- The steps of everybody's workflow. Discarded work has no place in their order.
WITH made AS (
  INSERT INTO delivery.workflows
    (tenant_id, id, step_name, step_number, step_category, is_commitment_point)
  SELECT platform.current_tenant(), gen_random_uuid(), v.*
    FROM (VALUES
      ('Backlog', 1, 'TO_DO', false),
      ('Refinement', 2, 'TO_DO', false),
      ('Ready to Work', 3, 'TO_DO', false),
      ('To Do', 4, 'TO_DO', true),
      ('In Progress', 5, 'IN_PROGRESS', false),
      ('Ready for Story Testing', 6, 'WAITING', false),
      ('Story Testing', 7, 'IN_PROGRESS', false),
      ('Ready for Acceptance', 8, 'WAITING', false),
      ('Acceptance Testing', 9, 'IN_PROGRESS', false),
      ('Ready for Prod', 10, 'WAITING', false),
      ('Done', 11, 'DONE', false),
      ('Discarded', NULL, 'DISCARDED', false)) v
  ON CONFLICT DO NOTHING
  RETURNING id
)
INSERT INTO seeded SELECT 'delivery.workflow', id FROM made;

-- Jira's levels are 1, 0 and -1; those above are for what epics are part of.
WITH made AS (
  INSERT INTO delivery.issuetype_hierarchies (tenant_id, id, level_name, level_number, description)
  SELECT platform.current_tenant(), gen_random_uuid(), v.*
    FROM (VALUES
      ('Capital Investment', 4, 'What money is set aside for'),
      ('Product Objective', 3, 'What a product is to achieve'),
      ('Milestone', 2, 'A date with several epics'),
      ('Epic', 1, 'Several stories with one aim'),
      ('Story', 0, 'What a team does at a time'),
      ('Sub-task', -1, 'A part of a story')) v
  ON CONFLICT DO NOTHING
  RETURNING id
)
INSERT INTO seeded SELECT 'delivery.issuetype_hierarchy', id FROM made;

-- The types that sources' types are mapped to; each counts as itself.
WITH made AS (
  INSERT INTO delivery.issuetype_mappings
    (tenant_id, id, issuetype_from, issuetype_to, issuetype_hierarchy_id)
  SELECT platform.current_tenant(), gen_random_uuid(), v.name, v.name, h.id
    FROM (VALUES
      ('Epic', 1),
      ('Story', 0),
      ('Tech Enhancement', 0),
      ('Task', 0),
      ('Bug', 0),
      ('Incident', 0),
      ('Spike', 0),
      ('Approval', 0),
      ('Defect', -1),
      ('Sub-task', -1)) v (name, level)
    JOIN delivery.issuetype_hierarchies h
      ON h.tenant_id = platform.current_tenant() AND h.level_number = v.level
  ON CONFLICT DO NOTHING
  RETURNING id
)
INSERT INTO seeded SELECT 'delivery.issuetype_mapping', id FROM made;

-- The head is the last row that a commit locks (docs/adr/0007).
WITH head AS (
  INSERT INTO platform.tenant_heads AS h (tenant_id, position)
  SELECT platform.current_tenant(), 1 WHERE EXISTS (SELECT FROM seeded)
  ON CONFLICT (tenant_id) DO UPDATE SET position = h.position + 1
  RETURNING tenant_id, position
)
INSERT INTO platform.change_log (tenant_id, position, ordinal, kind, op, entity_id, revision)
SELECT head.tenant_id, head.position, row_number() OVER (ORDER BY s.kind, s.id), s.kind, 'CREATED',
  s.id, 1
  FROM head, seeded s;
