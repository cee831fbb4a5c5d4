-- What teams deliver: projects and issues of issue trackers, repositories and pull requests, the
-- steps of work and what the sources' words for them mean, and what others achieve.
CREATE SCHEMA delivery;
GRANT USAGE ON SCHEMA delivery TO rapport_server, rapport_system;

-- Where a tenant's data comes from. Credentials are kept elsewhere: here is only where.
CREATE TABLE delivery.integrations (
  tenant_id        uuid        NOT NULL,
  id               uuid        NOT NULL,
  name             text        NOT NULL COLLATE "C",
  url              text,
  username         text,
  secret_reference text,
  projects         text[],
  base_search      text,
  last_sync_at     timestamptz,
  active           boolean     NOT NULL DEFAULT true,
  revision         bigint      NOT NULL DEFAULT 1,
  created_at       timestamptz NOT NULL DEFAULT now(),
  last_updated_at  timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_integrations PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_integrations_key UNIQUE (tenant_id, name),
  CONSTRAINT ck_integrations_revision CHECK (revision > 0),
  CONSTRAINT ck_integrations_name CHECK (char_length(name) BETWEEN 1 AND 255),
  CONSTRAINT ck_integrations_url CHECK (char_length(url) <= 2048 AND url !~ '^[^/?#]*//[^/?#]*@'),
  CONSTRAINT ck_integrations_username CHECK (char_length(username) <= 255),
  CONSTRAINT ck_integrations_secret_reference
    CHECK (char_length(secret_reference) <= 1000
      AND secret_reference ~ '^([a-z][a-z0-9+.-]*://|arn:)[^[:space:]@]+$'),
  CONSTRAINT ck_integrations_projects CHECK (cardinality(projects) <= 1000),
  CONSTRAINT ck_integrations_base_search CHECK (char_length(base_search) <= 10000)
);
-- These serve ListIntegrations.
CREATE INDEX idx_integrations_name ON delivery.integrations (tenant_id, name, id);
CREATE INDEX ix_integrations_created ON delivery.integrations (tenant_id, created_at, id);

-- Projects of issue trackers.
CREATE TABLE delivery.projects (
  tenant_id       uuid        NOT NULL,
  id              uuid        NOT NULL,
  integration_id  uuid        NOT NULL,
  external_id     text        COLLATE "C",
  key             text        NOT NULL COLLATE "C",
  name            text        NOT NULL COLLATE "C",
  project_type    text        COLLATE "C",
  active          boolean     NOT NULL DEFAULT true,
  revision        bigint      NOT NULL DEFAULT 1,
  created_at      timestamptz NOT NULL DEFAULT now(),
  last_updated_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_projects PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_projects_key UNIQUE (tenant_id, integration_id, external_id),
  CONSTRAINT fk_projects_integration FOREIGN KEY (tenant_id, integration_id)
    REFERENCES delivery.integrations (tenant_id, id),
  CONSTRAINT ck_projects_revision CHECK (revision > 0),
  CONSTRAINT ck_projects_external_id CHECK (char_length(external_id) <= 255),
  CONSTRAINT ck_projects_key CHECK (char_length(key) BETWEEN 1 AND 255),
  CONSTRAINT ck_projects_name CHECK (char_length(name) BETWEEN 1 AND 255),
  CONSTRAINT ck_projects_project_type CHECK (char_length(project_type) <= 100)
);
-- These serve ListProjects.
CREATE INDEX idx_projects_key ON delivery.projects (tenant_id, key, id);
CREATE INDEX ix_projects_created ON delivery.projects (tenant_id, created_at, id);

-- Levels of issue types.
CREATE TABLE delivery.issuetype_hierarchies (
  tenant_id       uuid        NOT NULL,
  id              uuid        NOT NULL,
  integration_id  uuid,
  level_name      text        NOT NULL COLLATE "C",
  level_number    integer     NOT NULL,
  description     text,
  active          boolean     NOT NULL DEFAULT true,
  revision        bigint      NOT NULL DEFAULT 1,
  created_at      timestamptz NOT NULL DEFAULT now(),
  last_updated_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_issuetype_hierarchies PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_issuetype_hierarchies_key UNIQUE (tenant_id, level_number),
  CONSTRAINT fk_issuetype_hierarchies_integration FOREIGN KEY (tenant_id, integration_id)
    REFERENCES delivery.integrations (tenant_id, id),
  CONSTRAINT ck_issuetype_hierarchies_revision CHECK (revision > 0),
  CONSTRAINT ck_issuetype_hierarchies_level_name CHECK (char_length(level_name) BETWEEN 1 AND 255),
  CONSTRAINT ck_issuetype_hierarchies_level_number CHECK (level_number BETWEEN -100 AND 100),
  CONSTRAINT ck_issuetype_hierarchies_description CHECK (char_length(description) <= 10000)
);
-- These serve ListIssuetypeHierarchies.
CREATE INDEX idx_issuetype_hierarchies_level_number
  ON delivery.issuetype_hierarchies (tenant_id, level_number, id);
CREATE INDEX ix_issuetype_hierarchies_created
  ON delivery.issuetype_hierarchies (tenant_id, created_at, id);
-- Serves fk_issuetype_hierarchies_integration.
CREATE INDEX ix_issuetype_hierarchies_integration
  ON delivery.issuetype_hierarchies (tenant_id, integration_id);

-- Which type a source's issue type counts as. Names are compared without regard to case.
CREATE TABLE delivery.issuetype_mappings (
  tenant_id              uuid        NOT NULL,
  id                     uuid        NOT NULL,
  integration_id         uuid,
  issuetype_from         text        NOT NULL COLLATE "C",
  issuetype_from_key     text        COLLATE "C" GENERATED ALWAYS AS (lower(issuetype_from)) STORED,
  issuetype_to           text        NOT NULL COLLATE "C",
  issuetype_hierarchy_id uuid        NOT NULL,
  active                 boolean     NOT NULL DEFAULT true,
  revision               bigint      NOT NULL DEFAULT 1,
  created_at             timestamptz NOT NULL DEFAULT now(),
  last_updated_at        timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_issuetype_mappings PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_issuetype_mappings_key UNIQUE (tenant_id, issuetype_from_key),
  CONSTRAINT fk_issuetype_mappings_integration FOREIGN KEY (tenant_id, integration_id)
    REFERENCES delivery.integrations (tenant_id, id),
  CONSTRAINT fk_issuetype_mappings_issuetype_hierarchy
    FOREIGN KEY (tenant_id, issuetype_hierarchy_id)
    REFERENCES delivery.issuetype_hierarchies (tenant_id, id),
  CONSTRAINT ck_issuetype_mappings_revision CHECK (revision > 0),
  CONSTRAINT ck_issuetype_mappings_issuetype_from
    CHECK (char_length(issuetype_from) BETWEEN 1 AND 255),
  CONSTRAINT ck_issuetype_mappings_issuetype_to CHECK (char_length(issuetype_to) BETWEEN 1 AND 255)
);
-- These serve ListIssuetypeMappings.
CREATE INDEX idx_issuetype_mappings_issuetype_from
  ON delivery.issuetype_mappings (tenant_id, issuetype_from, id);
CREATE INDEX ix_issuetype_mappings_created
  ON delivery.issuetype_mappings (tenant_id, created_at, id);
-- Mappings to a level.
CREATE INDEX idx_issuetype_mappings_issuetype_hierarchy_id
  ON delivery.issuetype_mappings (tenant_id, issuetype_hierarchy_id, created_at, id);
-- Serves fk_issuetype_mappings_integration.
CREATE INDEX ix_issuetype_mappings_integration
  ON delivery.issuetype_mappings (tenant_id, integration_id);

-- Issue types as their sources have them.
CREATE TABLE delivery.issuetypes (
  tenant_id            uuid        NOT NULL,
  id                   uuid        NOT NULL,
  integration_id       uuid        NOT NULL,
  external_id          text        COLLATE "C",
  original_name        text        NOT NULL COLLATE "C",
  issuetype_mapping_id uuid,
  description          text,
  hierarchy_level      integer     NOT NULL,
  is_subtask           boolean,
  active               boolean     NOT NULL DEFAULT true,
  revision             bigint      NOT NULL DEFAULT 1,
  created_at           timestamptz NOT NULL DEFAULT now(),
  last_updated_at      timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_issuetypes PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_issuetypes_key UNIQUE (tenant_id, integration_id, external_id),
  CONSTRAINT fk_issuetypes_integration FOREIGN KEY (tenant_id, integration_id)
    REFERENCES delivery.integrations (tenant_id, id),
  CONSTRAINT fk_issuetypes_issuetype_mapping FOREIGN KEY (tenant_id, issuetype_mapping_id)
    REFERENCES delivery.issuetype_mappings (tenant_id, id),
  CONSTRAINT ck_issuetypes_revision CHECK (revision > 0),
  CONSTRAINT ck_issuetypes_external_id CHECK (char_length(external_id) <= 255),
  CONSTRAINT ck_issuetypes_original_name CHECK (char_length(original_name) BETWEEN 1 AND 255),
  CONSTRAINT ck_issuetypes_description CHECK (char_length(description) <= 10000),
  CONSTRAINT ck_issuetypes_hierarchy_level CHECK (hierarchy_level BETWEEN -100 AND 100)
);
-- These serve ListIssuetypes.
CREATE INDEX idx_issuetypes_original_name ON delivery.issuetypes (tenant_id, original_name, id);
CREATE INDEX ix_issuetypes_created ON delivery.issuetypes (tenant_id, created_at, id);
CREATE INDEX idx_issuetypes_external_id ON delivery.issuetypes (tenant_id, external_id);
-- Issue types of a mapping.
CREATE INDEX ix_issuetypes_mapping
  ON delivery.issuetypes (tenant_id, issuetype_mapping_id, created_at, id);

-- Steps of workflows, of one integration or of all.
CREATE TABLE delivery.workflows (
  tenant_id           uuid        NOT NULL,
  id                  uuid        NOT NULL,
  integration_id      uuid,
  step_name           text        NOT NULL COLLATE "C",
  step_number         integer,
  step_category       text        NOT NULL,
  is_commitment_point boolean     NOT NULL DEFAULT false,
  active              boolean     NOT NULL DEFAULT true,
  revision            bigint      NOT NULL DEFAULT 1,
  created_at          timestamptz NOT NULL DEFAULT now(),
  last_updated_at     timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_workflows PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_workflows_key UNIQUE NULLS NOT DISTINCT (tenant_id, step_name, integration_id),
  CONSTRAINT fk_workflows_integration FOREIGN KEY (tenant_id, integration_id)
    REFERENCES delivery.integrations (tenant_id, id),
  CONSTRAINT ck_workflows_revision CHECK (revision > 0),
  CONSTRAINT ck_workflows_step_name CHECK (char_length(step_name) BETWEEN 1 AND 255),
  CONSTRAINT ck_workflows_step_number CHECK (step_number BETWEEN 1 AND 1000),
  CONSTRAINT ck_workflows_step_category
    CHECK (step_category IN ('TO_DO', 'IN_PROGRESS', 'WAITING', 'DONE', 'DISCARDED'))
);
-- These serve ListWorkflows.
CREATE INDEX ix_workflows_name ON delivery.workflows (tenant_id, step_name, id);
CREATE INDEX ix_workflows_created ON delivery.workflows (tenant_id, created_at, id);
-- Steps of an integration.
CREATE INDEX idx_workflows_integration_id
  ON delivery.workflows (tenant_id, integration_id, created_at, id);
-- One commitment point of each workflow.
CREATE UNIQUE INDEX idx_workflows_is_commitment_point
  ON delivery.workflows (tenant_id, integration_id) NULLS NOT DISTINCT
  WHERE is_commitment_point AND active;

-- Which step a source's status counts as. Names are compared without regard to case.
CREATE TABLE delivery.status_mappings (
  tenant_id       uuid        NOT NULL,
  id              uuid        NOT NULL,
  integration_id  uuid,
  status_from     text        NOT NULL COLLATE "C",
  status_from_key text        COLLATE "C" GENERATED ALWAYS AS (lower(status_from)) STORED,
  status_to       text        NOT NULL COLLATE "C",
  status_category text        NOT NULL,
  workflow_id     uuid,
  active          boolean     NOT NULL DEFAULT true,
  revision        bigint      NOT NULL DEFAULT 1,
  created_at      timestamptz NOT NULL DEFAULT now(),
  last_updated_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_status_mappings PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_status_mappings_key UNIQUE (tenant_id, status_from_key),
  CONSTRAINT fk_status_mappings_integration FOREIGN KEY (tenant_id, integration_id)
    REFERENCES delivery.integrations (tenant_id, id),
  CONSTRAINT fk_status_mappings_workflow FOREIGN KEY (tenant_id, workflow_id)
    REFERENCES delivery.workflows (tenant_id, id),
  CONSTRAINT ck_status_mappings_revision CHECK (revision > 0),
  CONSTRAINT ck_status_mappings_status_from CHECK (char_length(status_from) BETWEEN 1 AND 255),
  CONSTRAINT ck_status_mappings_status_to CHECK (char_length(status_to) BETWEEN 1 AND 255),
  CONSTRAINT ck_status_mappings_status_category
    CHECK (status_category IN ('TO_DO', 'IN_PROGRESS', 'WAITING', 'DONE', 'DISCARDED'))
);
-- These serve ListStatusMappings.
CREATE INDEX idx_status_mappings_status_from
  ON delivery.status_mappings (tenant_id, status_from, id);
CREATE INDEX ix_status_mappings_created ON delivery.status_mappings (tenant_id, created_at, id);
-- Mappings to a step.
CREATE INDEX idx_status_mappings_workflow_id
  ON delivery.status_mappings (tenant_id, workflow_id, created_at, id);
-- Serves fk_status_mappings_integration.
CREATE INDEX ix_status_mappings_integration ON delivery.status_mappings (tenant_id, integration_id);

-- Statuses as their sources have them.
CREATE TABLE delivery.statuses (
  tenant_id         uuid        NOT NULL,
  id                uuid        NOT NULL,
  integration_id    uuid        NOT NULL,
  external_id       text        COLLATE "C",
  original_name     text        NOT NULL COLLATE "C",
  status_mapping_id uuid,
  category          text        NOT NULL,
  description       text,
  category_key      text,
  active            boolean     NOT NULL DEFAULT true,
  revision          bigint      NOT NULL DEFAULT 1,
  created_at        timestamptz NOT NULL DEFAULT now(),
  last_updated_at   timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_statuses PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_statuses_key UNIQUE (tenant_id, integration_id, external_id),
  CONSTRAINT fk_statuses_integration FOREIGN KEY (tenant_id, integration_id)
    REFERENCES delivery.integrations (tenant_id, id),
  CONSTRAINT fk_statuses_status_mapping FOREIGN KEY (tenant_id, status_mapping_id)
    REFERENCES delivery.status_mappings (tenant_id, id),
  CONSTRAINT ck_statuses_revision CHECK (revision > 0),
  CONSTRAINT ck_statuses_external_id CHECK (char_length(external_id) <= 255),
  CONSTRAINT ck_statuses_original_name CHECK (char_length(original_name) BETWEEN 1 AND 255),
  CONSTRAINT ck_statuses_category
    CHECK (category IN ('TO_DO', 'IN_PROGRESS', 'WAITING', 'DONE', 'DISCARDED', 'OTHER')),
  CONSTRAINT ck_statuses_description CHECK (char_length(description) <= 10000),
  CONSTRAINT ck_statuses_category_key
    CHECK (category_key IN ('new', 'indeterminate', 'done', 'undefined'))
);
-- These serve ListStatuses.
CREATE INDEX idx_statuses_original_name ON delivery.statuses (tenant_id, original_name, id);
CREATE INDEX ix_statuses_created ON delivery.statuses (tenant_id, created_at, id);
CREATE INDEX idx_statuses_external_id ON delivery.statuses (tenant_id, external_id);
-- Statuses of a mapping.
CREATE INDEX ix_statuses_mapping
  ON delivery.statuses (tenant_id, status_mapping_id, created_at, id);

-- Which issue types projects have.
CREATE TABLE delivery.projects_issuetypes (
  tenant_id       uuid        NOT NULL,
  id              uuid        NOT NULL,
  project_id      uuid        NOT NULL,
  issuetype_id    uuid        NOT NULL,
  active          boolean     NOT NULL DEFAULT true,
  revision        bigint      NOT NULL DEFAULT 1,
  created_at      timestamptz NOT NULL DEFAULT now(),
  last_updated_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_projects_issuetypes PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_projects_issuetypes_key UNIQUE (tenant_id, project_id, issuetype_id),
  CONSTRAINT fk_projects_issuetypes_project FOREIGN KEY (tenant_id, project_id)
    REFERENCES delivery.projects (tenant_id, id),
  CONSTRAINT fk_projects_issuetypes_issuetype FOREIGN KEY (tenant_id, issuetype_id)
    REFERENCES delivery.issuetypes (tenant_id, id),
  CONSTRAINT ck_projects_issuetypes_revision CHECK (revision > 0)
);
-- Serves ListProjectIssuetypes.
CREATE INDEX ix_projects_issuetypes_created
  ON delivery.projects_issuetypes (tenant_id, created_at, id);
-- Projects of an issue type.
CREATE INDEX ix_projects_issuetypes_issuetype
  ON delivery.projects_issuetypes (tenant_id, issuetype_id, created_at, id);

-- Which statuses projects have.
CREATE TABLE delivery.projects_statuses (
  tenant_id       uuid        NOT NULL,
  id              uuid        NOT NULL,
  project_id      uuid        NOT NULL,
  status_id       uuid        NOT NULL,
  active          boolean     NOT NULL DEFAULT true,
  revision        bigint      NOT NULL DEFAULT 1,
  created_at      timestamptz NOT NULL DEFAULT now(),
  last_updated_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_projects_statuses PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_projects_statuses_key UNIQUE (tenant_id, project_id, status_id),
  CONSTRAINT fk_projects_statuses_project FOREIGN KEY (tenant_id, project_id)
    REFERENCES delivery.projects (tenant_id, id),
  CONSTRAINT fk_projects_statuses_status FOREIGN KEY (tenant_id, status_id)
    REFERENCES delivery.statuses (tenant_id, id),
  CONSTRAINT ck_projects_statuses_revision CHECK (revision > 0)
);
-- Serves ListProjectStatuses.
CREATE INDEX ix_projects_statuses_created ON delivery.projects_statuses (tenant_id, created_at, id);
-- Projects of a status.
CREATE INDEX ix_projects_statuses_status
  ON delivery.projects_statuses (tenant_id, status_id, created_at, id);

-- Issues. The columns from work_first_committed_at to work_last_completed_at and from
-- total_work_starts to direct_completion are worked out from issue_changelogs.
CREATE TABLE delivery.issues (
  tenant_id                 uuid             NOT NULL,
  id                        uuid             NOT NULL,
  integration_id            uuid             NOT NULL,
  external_id               text             COLLATE "C",
  key                       text             COLLATE "C",
  project_id                uuid,
  team                      text             COLLATE "C",
  summary                   text,
  issuetype_id              uuid,
  status_id                 uuid,
  resolution                text             COLLATE "C",
  story_points              integer,
  assignee                  text             COLLATE "C",
  labels                    text[],
  created                   timestamptz,
  updated                   timestamptz,
  work_first_committed_at   timestamptz,
  work_first_started_at     timestamptz,
  work_last_started_at      timestamptz,
  work_first_completed_at   timestamptz,
  work_last_completed_at    timestamptz,
  priority                  text             COLLATE "C",
  parent_external_id        text             COLLATE "C",
  code_changed              boolean,
  total_work_starts         integer          NOT NULL DEFAULT 0,
  total_completions         integer          NOT NULL DEFAULT 0,
  total_backlog_returns     integer          NOT NULL DEFAULT 0,
  total_work_time_seconds   double precision NOT NULL DEFAULT 0,
  total_review_time_seconds double precision NOT NULL DEFAULT 0,
  total_cycle_time_seconds  double precision NOT NULL DEFAULT 0,
  total_lead_time_seconds   double precision NOT NULL DEFAULT 0,
  workflow_complexity_score integer          NOT NULL DEFAULT 0,
  rework_indicator          boolean          NOT NULL DEFAULT false,
  direct_completion         boolean          NOT NULL DEFAULT false,
  description               text,
  acceptance_criteria       text,
  reporter                  text             COLLATE "C",
  comment_count             integer          NOT NULL DEFAULT 0,
  resolution_date           timestamptz,
  created_by                text,
  custom_field_01           text,
  custom_field_02           text,
  custom_field_03           text,
  custom_field_04           text,
  custom_field_05           text,
  custom_field_06           text,
  custom_field_07           text,
  custom_field_08           text,
  custom_field_09           text,
  custom_field_10           text,
  custom_field_11           text,
  custom_field_12           text,
  custom_field_13           text,
  custom_field_14           text,
  custom_field_15           text,
  custom_field_16           text,
  custom_field_17           text,
  custom_field_18           text,
  custom_field_19           text,
  custom_field_20           text,
  active                    boolean          NOT NULL DEFAULT true,
  revision                  bigint           NOT NULL DEFAULT 1,
  created_at                timestamptz      NOT NULL DEFAULT now(),
  last_updated_at           timestamptz      NOT NULL DEFAULT now(),

  CONSTRAINT pk_issues PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_issues_key UNIQUE (tenant_id, integration_id, external_id),
  CONSTRAINT fk_issues_integration FOREIGN KEY (tenant_id, integration_id)
    REFERENCES delivery.integrations (tenant_id, id),
  CONSTRAINT fk_issues_project FOREIGN KEY (tenant_id, project_id)
    REFERENCES delivery.projects (tenant_id, id),
  CONSTRAINT fk_issues_issuetype FOREIGN KEY (tenant_id, issuetype_id)
    REFERENCES delivery.issuetypes (tenant_id, id),
  CONSTRAINT fk_issues_status FOREIGN KEY (tenant_id, status_id)
    REFERENCES delivery.statuses (tenant_id, id),
  CONSTRAINT ck_issues_revision CHECK (revision > 0),
  CONSTRAINT ck_issues_external_id CHECK (char_length(external_id) <= 255),
  CONSTRAINT ck_issues_key CHECK (char_length(key) <= 255),
  CONSTRAINT ck_issues_team CHECK (char_length(team) <= 255),
  CONSTRAINT ck_issues_summary CHECK (char_length(summary) <= 1000),
  CONSTRAINT ck_issues_resolution CHECK (char_length(resolution) <= 255),
  CONSTRAINT ck_issues_story_points CHECK (story_points BETWEEN 0 AND 1000000),
  CONSTRAINT ck_issues_assignee CHECK (char_length(assignee) <= 255),
  CONSTRAINT ck_issues_labels CHECK (cardinality(labels) <= 1000),
  CONSTRAINT ck_issues_priority CHECK (char_length(priority) <= 100),
  CONSTRAINT ck_issues_parent_external_id CHECK (char_length(parent_external_id) <= 255),
  CONSTRAINT ck_issues_total_work_starts CHECK (total_work_starts >= 0),
  CONSTRAINT ck_issues_total_completions CHECK (total_completions >= 0),
  CONSTRAINT ck_issues_total_backlog_returns CHECK (total_backlog_returns >= 0),
  CONSTRAINT ck_issues_total_work_time_seconds CHECK (total_work_time_seconds >= 0),
  CONSTRAINT ck_issues_total_review_time_seconds CHECK (total_review_time_seconds >= 0),
  CONSTRAINT ck_issues_total_cycle_time_seconds CHECK (total_cycle_time_seconds >= 0),
  CONSTRAINT ck_issues_total_lead_time_seconds CHECK (total_lead_time_seconds >= 0),
  CONSTRAINT ck_issues_workflow_complexity_score CHECK (workflow_complexity_score >= 0),
  CONSTRAINT ck_issues_description CHECK (char_length(description) <= 262144),
  CONSTRAINT ck_issues_acceptance_criteria CHECK (char_length(acceptance_criteria) <= 262144),
  CONSTRAINT ck_issues_reporter CHECK (char_length(reporter) <= 255),
  CONSTRAINT ck_issues_comment_count CHECK (comment_count >= 0),
  CONSTRAINT ck_issues_created_by CHECK (char_length(created_by) <= 255),
  CONSTRAINT ck_issues_custom_field_01 CHECK (char_length(custom_field_01) <= 65536),
  CONSTRAINT ck_issues_custom_field_02 CHECK (char_length(custom_field_02) <= 65536),
  CONSTRAINT ck_issues_custom_field_03 CHECK (char_length(custom_field_03) <= 65536),
  CONSTRAINT ck_issues_custom_field_04 CHECK (char_length(custom_field_04) <= 65536),
  CONSTRAINT ck_issues_custom_field_05 CHECK (char_length(custom_field_05) <= 65536),
  CONSTRAINT ck_issues_custom_field_06 CHECK (char_length(custom_field_06) <= 65536),
  CONSTRAINT ck_issues_custom_field_07 CHECK (char_length(custom_field_07) <= 65536),
  CONSTRAINT ck_issues_custom_field_08 CHECK (char_length(custom_field_08) <= 65536),
  CONSTRAINT ck_issues_custom_field_09 CHECK (char_length(custom_field_09) <= 65536),
  CONSTRAINT ck_issues_custom_field_10 CHECK (char_length(custom_field_10) <= 65536),
  CONSTRAINT ck_issues_custom_field_11 CHECK (char_length(custom_field_11) <= 65536),
  CONSTRAINT ck_issues_custom_field_12 CHECK (char_length(custom_field_12) <= 65536),
  CONSTRAINT ck_issues_custom_field_13 CHECK (char_length(custom_field_13) <= 65536),
  CONSTRAINT ck_issues_custom_field_14 CHECK (char_length(custom_field_14) <= 65536),
  CONSTRAINT ck_issues_custom_field_15 CHECK (char_length(custom_field_15) <= 65536),
  CONSTRAINT ck_issues_custom_field_16 CHECK (char_length(custom_field_16) <= 65536),
  CONSTRAINT ck_issues_custom_field_17 CHECK (char_length(custom_field_17) <= 65536),
  CONSTRAINT ck_issues_custom_field_18 CHECK (char_length(custom_field_18) <= 65536),
  CONSTRAINT ck_issues_custom_field_19 CHECK (char_length(custom_field_19) <= 65536),
  CONSTRAINT ck_issues_custom_field_20 CHECK (char_length(custom_field_20) <= 65536)
);
-- Serves ListIssues.
CREATE INDEX ix_issues_created ON delivery.issues (tenant_id, created_at, id);
-- Issues of an id, and parents of parts.
CREATE INDEX idx_issues_external_id ON delivery.issues (tenant_id, external_id);
CREATE INDEX idx_issues_key ON delivery.issues (tenant_id, key);
-- Issues of a project, and so on.
CREATE INDEX idx_issues_project_id ON delivery.issues (tenant_id, project_id, created_at, id);
CREATE INDEX idx_issues_status_id ON delivery.issues (tenant_id, status_id, created_at, id);
CREATE INDEX idx_issues_issuetype_id ON delivery.issues (tenant_id, issuetype_id, created_at, id);
CREATE INDEX idx_issues_created ON delivery.issues (tenant_id, created, id);
CREATE INDEX idx_issues_updated ON delivery.issues (tenant_id, updated, id);
CREATE INDEX idx_issues_parent_external_id
  ON delivery.issues (tenant_id, parent_external_id, created_at, id);
CREATE INDEX ix_issues_assignee ON delivery.issues (tenant_id, assignee, created_at, id);
CREATE INDEX ix_issues_team ON delivery.issues (tenant_id, team, created_at, id);
-- Issues that were done in a time.
CREATE INDEX ix_issues_completed ON delivery.issues (tenant_id, work_last_completed_at, id);

-- Changes of issues' statuses. transition_start_date and time_in_status_seconds are worked out
-- from the change before.
CREATE TABLE delivery.issue_changelogs (
  tenant_id              uuid             NOT NULL,
  id                     uuid             NOT NULL,
  integration_id         uuid             NOT NULL,
  issue_id               uuid             NOT NULL,
  external_id            text             COLLATE "C",
  from_status_id         uuid,
  to_status_id           uuid,
  transition_start_date  timestamptz,
  transition_change_date timestamptz      NOT NULL,
  time_in_status_seconds double precision,
  changed_by             text             COLLATE "C",
  active                 boolean          NOT NULL DEFAULT true,
  revision               bigint           NOT NULL DEFAULT 1,
  created_at             timestamptz      NOT NULL DEFAULT now(),
  last_updated_at        timestamptz      NOT NULL DEFAULT now(),

  CONSTRAINT pk_issue_changelogs PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_issue_changelogs_key UNIQUE (tenant_id, integration_id, issue_id, external_id),
  CONSTRAINT fk_issue_changelogs_integration FOREIGN KEY (tenant_id, integration_id)
    REFERENCES delivery.integrations (tenant_id, id),
  CONSTRAINT fk_issue_changelogs_issue FOREIGN KEY (tenant_id, issue_id)
    REFERENCES delivery.issues (tenant_id, id),
  CONSTRAINT fk_issue_changelogs_from_status FOREIGN KEY (tenant_id, from_status_id)
    REFERENCES delivery.statuses (tenant_id, id),
  CONSTRAINT fk_issue_changelogs_to_status FOREIGN KEY (tenant_id, to_status_id)
    REFERENCES delivery.statuses (tenant_id, id),
  CONSTRAINT ck_issue_changelogs_revision CHECK (revision > 0),
  CONSTRAINT ck_issue_changelogs_external_id CHECK (char_length(external_id) <= 255),
  CONSTRAINT ck_issue_changelogs_time_in_status_seconds CHECK (time_in_status_seconds >= 0),
  CONSTRAINT ck_issue_changelogs_changed_by CHECK (char_length(changed_by) <= 255)
);
-- These serve ListIssueChangelogs.
CREATE INDEX idx_issue_changelogs_transition_change_date
  ON delivery.issue_changelogs (tenant_id, transition_change_date, id);
CREATE INDEX ix_issue_changelogs_created ON delivery.issue_changelogs (tenant_id, created_at, id);
-- The changes of an issue, in their order.
CREATE INDEX idx_issue_changelogs_issue_id
  ON delivery.issue_changelogs (tenant_id, issue_id, transition_change_date, id);
CREATE INDEX ix_issue_changelogs_from_status
  ON delivery.issue_changelogs (tenant_id, from_status_id, created_at, id);
CREATE INDEX ix_issue_changelogs_to_status
  ON delivery.issue_changelogs (tenant_id, to_status_id, created_at, id);

-- Repositories of code.
CREATE TABLE delivery.repositories (
  tenant_id       uuid        NOT NULL,
  id              uuid        NOT NULL,
  integration_id  uuid        NOT NULL,
  external_id     text        COLLATE "C",
  name            text        COLLATE "C",
  full_name       text        COLLATE "C",
  description     text,
  url             text,
  is_private      boolean,
  repo_created_at timestamptz,
  repo_updated_at timestamptz,
  pushed_at       timestamptz,
  language        text        COLLATE "C",
  default_branch  text,
  archived        boolean,
  active          boolean     NOT NULL DEFAULT true,
  revision        bigint      NOT NULL DEFAULT 1,
  created_at      timestamptz NOT NULL DEFAULT now(),
  last_updated_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_repositories PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_repositories_key UNIQUE (tenant_id, integration_id, external_id),
  CONSTRAINT fk_repositories_integration FOREIGN KEY (tenant_id, integration_id)
    REFERENCES delivery.integrations (tenant_id, id),
  CONSTRAINT ck_repositories_revision CHECK (revision > 0),
  CONSTRAINT ck_repositories_external_id CHECK (char_length(external_id) <= 255),
  CONSTRAINT ck_repositories_name CHECK (char_length(name) <= 255),
  CONSTRAINT ck_repositories_full_name CHECK (char_length(full_name) <= 500),
  CONSTRAINT ck_repositories_description CHECK (char_length(description) <= 10000),
  CONSTRAINT ck_repositories_url CHECK (char_length(url) <= 2048),
  CONSTRAINT ck_repositories_language CHECK (char_length(language) <= 100),
  CONSTRAINT ck_repositories_default_branch CHECK (char_length(default_branch) <= 255)
);
-- Serves ListRepositories.
CREATE INDEX ix_repositories_created ON delivery.repositories (tenant_id, created_at, id);
CREATE INDEX idx_repositories_external_id ON delivery.repositories (tenant_id, external_id);
CREATE INDEX idx_repositories_full_name
  ON delivery.repositories (tenant_id, full_name, created_at, id);

-- Pull requests. first_review_at, reviewers, rework_commit_count and review_cycles are worked out
-- from their reviews and commits.
CREATE TABLE delivery.pull_requests (
  tenant_id                uuid        NOT NULL,
  id                       uuid        NOT NULL,
  integration_id           uuid        NOT NULL,
  external_id              text        COLLATE "C",
  external_repo_id         text        COLLATE "C",
  repository_id            uuid        NOT NULL,
  issue_id                 uuid,
  number                   integer     NOT NULL,
  name                     text,
  user_name                text        COLLATE "C",
  body                     text,
  discussion_comment_count integer,
  review_comment_count     integer,
  source                   text,
  destination              text        COLLATE "C",
  reviewers                integer     NOT NULL DEFAULT 0,
  status                   text,
  url                      text,
  pr_created_at            timestamptz,
  pr_updated_at            timestamptz,
  closed_at                timestamptz,
  merged_at                timestamptz,
  merged_by                text,
  commit_count             integer,
  additions                integer,
  deletions                integer,
  changed_files            integer,
  first_review_at          timestamptz,
  rework_commit_count      integer     NOT NULL DEFAULT 0,
  review_cycles            integer     NOT NULL DEFAULT 0,
  is_draft                 boolean,
  merge_commit_sha         text,
  active                   boolean     NOT NULL DEFAULT true,
  revision                 bigint      NOT NULL DEFAULT 1,
  created_at               timestamptz NOT NULL DEFAULT now(),
  last_updated_at          timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_pull_requests PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_pull_requests_key UNIQUE (tenant_id, repository_id, number),
  CONSTRAINT fk_pull_requests_integration FOREIGN KEY (tenant_id, integration_id)
    REFERENCES delivery.integrations (tenant_id, id),
  CONSTRAINT fk_pull_requests_repository FOREIGN KEY (tenant_id, repository_id)
    REFERENCES delivery.repositories (tenant_id, id),
  CONSTRAINT fk_pull_requests_issue FOREIGN KEY (tenant_id, issue_id)
    REFERENCES delivery.issues (tenant_id, id),
  CONSTRAINT ck_pull_requests_revision CHECK (revision > 0),
  CONSTRAINT ck_pull_requests_external_id CHECK (char_length(external_id) <= 255),
  CONSTRAINT ck_pull_requests_external_repo_id CHECK (char_length(external_repo_id) <= 255),
  CONSTRAINT ck_pull_requests_number CHECK (number > 0),
  CONSTRAINT ck_pull_requests_name CHECK (char_length(name) <= 1000),
  CONSTRAINT ck_pull_requests_user_name CHECK (char_length(user_name) <= 255),
  CONSTRAINT ck_pull_requests_body CHECK (char_length(body) <= 262144),
  CONSTRAINT ck_pull_requests_discussion_comment_count CHECK (discussion_comment_count >= 0),
  CONSTRAINT ck_pull_requests_review_comment_count CHECK (review_comment_count >= 0),
  CONSTRAINT ck_pull_requests_source CHECK (char_length(source) <= 1000),
  CONSTRAINT ck_pull_requests_destination CHECK (char_length(destination) <= 1000),
  CONSTRAINT ck_pull_requests_reviewers CHECK (reviewers >= 0),
  CONSTRAINT ck_pull_requests_status CHECK (status IN ('OPEN', 'MERGED', 'CLOSED')),
  CONSTRAINT ck_pull_requests_url CHECK (char_length(url) <= 2048),
  CONSTRAINT ck_pull_requests_merged_by CHECK (char_length(merged_by) <= 255),
  CONSTRAINT ck_pull_requests_commit_count CHECK (commit_count >= 0),
  CONSTRAINT ck_pull_requests_additions CHECK (additions >= 0),
  CONSTRAINT ck_pull_requests_deletions CHECK (deletions >= 0),
  CONSTRAINT ck_pull_requests_changed_files CHECK (changed_files >= 0),
  CONSTRAINT ck_pull_requests_rework_commit_count CHECK (rework_commit_count >= 0),
  CONSTRAINT ck_pull_requests_review_cycles CHECK (review_cycles >= 0),
  CONSTRAINT ck_pull_requests_merge_commit_sha CHECK (char_length(merge_commit_sha) <= 64)
);
-- These serve ListPullRequests.
CREATE INDEX idx_pull_requests_number ON delivery.pull_requests (tenant_id, number, id);
CREATE INDEX ix_pull_requests_created ON delivery.pull_requests (tenant_id, created_at, id);
-- Pull requests of a repository, and so on.
CREATE INDEX idx_pull_requests_repository_id
  ON delivery.pull_requests (tenant_id, repository_id, created_at, id);
CREATE INDEX ix_pull_requests_integration
  ON delivery.pull_requests (tenant_id, integration_id, created_at, id);
CREATE INDEX idx_pull_requests_issue_id
  ON delivery.pull_requests (tenant_id, issue_id, created_at, id);
CREATE INDEX idx_pull_requests_external_id ON delivery.pull_requests (tenant_id, external_id);
CREATE INDEX idx_pull_requests_status ON delivery.pull_requests (tenant_id, status, created_at, id);
CREATE INDEX idx_pull_requests_pr_created_at
  ON delivery.pull_requests (tenant_id, pr_created_at, id);
CREATE INDEX ix_pull_requests_user ON delivery.pull_requests (tenant_id, user_name, created_at, id);
CREATE INDEX ix_pull_requests_merged ON delivery.pull_requests (tenant_id, merged_at, id);
-- The pull request of a link.
CREATE INDEX ix_pull_requests_external_repo
  ON delivery.pull_requests (tenant_id, external_repo_id, number);

-- Comments on pull requests.
CREATE TABLE delivery.pull_request_comments (
  tenant_id               uuid        NOT NULL,
  id                      uuid        NOT NULL,
  integration_id          uuid        NOT NULL,
  external_id             text        COLLATE "C",
  pull_request_id         uuid        NOT NULL,
  author_login            text        COLLATE "C",
  body                    text,
  comment_type            text        NOT NULL,
  path                    text,
  position                integer,
  line                    integer,
  created_at_github       timestamptz,
  updated_at_github       timestamptz,
  in_reply_to_external_id text        COLLATE "C",
  active                  boolean     NOT NULL DEFAULT true,
  revision                bigint      NOT NULL DEFAULT 1,
  created_at              timestamptz NOT NULL DEFAULT now(),
  last_updated_at         timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_pull_request_comments PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_pull_request_comments_key
    UNIQUE (tenant_id, pull_request_id, external_id, comment_type),
  CONSTRAINT fk_pull_request_comments_integration FOREIGN KEY (tenant_id, integration_id)
    REFERENCES delivery.integrations (tenant_id, id),
  CONSTRAINT fk_pull_request_comments_pull_request FOREIGN KEY (tenant_id, pull_request_id)
    REFERENCES delivery.pull_requests (tenant_id, id),
  CONSTRAINT ck_pull_request_comments_revision CHECK (revision > 0),
  CONSTRAINT ck_pull_request_comments_external_id CHECK (char_length(external_id) <= 255),
  CONSTRAINT ck_pull_request_comments_author_login CHECK (char_length(author_login) <= 255),
  CONSTRAINT ck_pull_request_comments_body CHECK (char_length(body) <= 262144),
  CONSTRAINT ck_pull_request_comments_comment_type CHECK (comment_type IN ('ISSUE', 'REVIEW')),
  CONSTRAINT ck_pull_request_comments_path CHECK (char_length(path) <= 4096),
  CONSTRAINT ck_pull_request_comments_position CHECK (position >= 0),
  CONSTRAINT ck_pull_request_comments_line CHECK (line >= 0),
  CONSTRAINT ck_pull_request_comments_in_reply_to_external_id
    CHECK (char_length(in_reply_to_external_id) <= 255)
);
-- Serves ListPullRequestComments.
CREATE INDEX ix_pull_request_comments_created
  ON delivery.pull_request_comments (tenant_id, created_at, id);
-- Comments on a pull request, and so on.
CREATE INDEX idx_pull_request_comments_pull_request_id
  ON delivery.pull_request_comments (tenant_id, pull_request_id, created_at, id);
CREATE INDEX ix_pull_request_comments_integration
  ON delivery.pull_request_comments (tenant_id, integration_id);
CREATE INDEX ix_pull_request_comments_author
  ON delivery.pull_request_comments (tenant_id, author_login, created_at, id);

-- Reviews of pull requests.
CREATE TABLE delivery.pull_request_reviews (
  tenant_id       uuid        NOT NULL,
  id              uuid        NOT NULL,
  integration_id  uuid        NOT NULL,
  external_id     text        COLLATE "C",
  pull_request_id uuid        NOT NULL,
  author_login    text        COLLATE "C",
  state           text,
  body            text,
  submitted_at    timestamptz,
  commit_sha      text,
  active          boolean     NOT NULL DEFAULT true,
  revision        bigint      NOT NULL DEFAULT 1,
  created_at      timestamptz NOT NULL DEFAULT now(),
  last_updated_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_pull_request_reviews PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_pull_request_reviews_key UNIQUE (tenant_id, pull_request_id, external_id),
  CONSTRAINT fk_pull_request_reviews_integration FOREIGN KEY (tenant_id, integration_id)
    REFERENCES delivery.integrations (tenant_id, id),
  CONSTRAINT fk_pull_request_reviews_pull_request FOREIGN KEY (tenant_id, pull_request_id)
    REFERENCES delivery.pull_requests (tenant_id, id),
  CONSTRAINT ck_pull_request_reviews_revision CHECK (revision > 0),
  CONSTRAINT ck_pull_request_reviews_external_id CHECK (char_length(external_id) <= 255),
  CONSTRAINT ck_pull_request_reviews_author_login CHECK (char_length(author_login) <= 255),
  CONSTRAINT ck_pull_request_reviews_state
    CHECK (state IN ('APPROVED', 'CHANGES_REQUESTED', 'COMMENTED', 'DISMISSED', 'PENDING')),
  CONSTRAINT ck_pull_request_reviews_body CHECK (char_length(body) <= 262144),
  CONSTRAINT ck_pull_request_reviews_commit_sha CHECK (char_length(commit_sha) <= 64)
);
-- Serves ListPullRequestReviews.
CREATE INDEX ix_pull_request_reviews_created
  ON delivery.pull_request_reviews (tenant_id, created_at, id);
-- Reviews of a pull request, in their order.
CREATE INDEX idx_pull_request_reviews_pull_request_id
  ON delivery.pull_request_reviews (tenant_id, pull_request_id, submitted_at, id);
CREATE INDEX ix_pull_request_reviews_integration
  ON delivery.pull_request_reviews (tenant_id, integration_id);
CREATE INDEX ix_pull_request_reviews_author
  ON delivery.pull_request_reviews (tenant_id, author_login, created_at, id);

-- Commits of pull requests.
CREATE TABLE delivery.pull_request_commits (
  tenant_id       uuid        NOT NULL,
  id              uuid        NOT NULL,
  integration_id  uuid        NOT NULL,
  external_id     text        COLLATE "C",
  pull_request_id uuid        NOT NULL,
  author_name     text        COLLATE "C",
  author_email    text        COLLATE "C",
  committer_name  text,
  committer_email text,
  message         text,
  authored_date   timestamptz,
  committed_date  timestamptz,
  active          boolean     NOT NULL DEFAULT true,
  revision        bigint      NOT NULL DEFAULT 1,
  created_at      timestamptz NOT NULL DEFAULT now(),
  last_updated_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_pull_request_commits PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_pull_request_commits_key UNIQUE (tenant_id, pull_request_id, external_id),
  CONSTRAINT fk_pull_request_commits_integration FOREIGN KEY (tenant_id, integration_id)
    REFERENCES delivery.integrations (tenant_id, id),
  CONSTRAINT fk_pull_request_commits_pull_request FOREIGN KEY (tenant_id, pull_request_id)
    REFERENCES delivery.pull_requests (tenant_id, id),
  CONSTRAINT ck_pull_request_commits_revision CHECK (revision > 0),
  CONSTRAINT ck_pull_request_commits_external_id CHECK (char_length(external_id) <= 64),
  CONSTRAINT ck_pull_request_commits_author_name CHECK (char_length(author_name) <= 255),
  CONSTRAINT ck_pull_request_commits_author_email CHECK (char_length(author_email) <= 320),
  CONSTRAINT ck_pull_request_commits_committer_name CHECK (char_length(committer_name) <= 255),
  CONSTRAINT ck_pull_request_commits_committer_email CHECK (char_length(committer_email) <= 320),
  CONSTRAINT ck_pull_request_commits_message CHECK (char_length(message) <= 262144)
);
-- Serves ListPullRequestCommits.
CREATE INDEX ix_pull_request_commits_created
  ON delivery.pull_request_commits (tenant_id, created_at, id);
-- Commits of a pull request, in their order.
CREATE INDEX idx_pull_request_commits_pull_request_id
  ON delivery.pull_request_commits (tenant_id, pull_request_id, authored_date, id);
CREATE INDEX ix_pull_request_commits_integration
  ON delivery.pull_request_commits (tenant_id, integration_id);
-- Pull requests of a commit.
CREATE INDEX ix_pull_request_commits_external_id
  ON delivery.pull_request_commits (tenant_id, external_id);
CREATE INDEX ix_pull_request_commits_author
  ON delivery.pull_request_commits (tenant_id, author_email, created_at, id);

-- Which pull requests issues name. A link is found by the repository's id in the source and the
-- number, without a foreign key: links often come first.
CREATE TABLE delivery.jira_pull_request_links (
  tenant_id           uuid        NOT NULL,
  id                  uuid        NOT NULL,
  integration_id      uuid        NOT NULL,
  issue_id            uuid        NOT NULL,
  external_repo_id    text        NOT NULL COLLATE "C",
  repo_full_name      text        NOT NULL COLLATE "C",
  pull_request_number integer     NOT NULL,
  branch_name         text,
  commit_sha          text,
  pr_status           text,
  active              boolean     NOT NULL DEFAULT true,
  revision            bigint      NOT NULL DEFAULT 1,
  created_at          timestamptz NOT NULL DEFAULT now(),
  last_updated_at     timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_jira_pull_request_links PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_jira_pull_request_links_key
    UNIQUE (tenant_id, issue_id, external_repo_id, pull_request_number),
  CONSTRAINT fk_jira_pull_request_links_integration FOREIGN KEY (tenant_id, integration_id)
    REFERENCES delivery.integrations (tenant_id, id),
  CONSTRAINT fk_jira_pull_request_links_issue FOREIGN KEY (tenant_id, issue_id)
    REFERENCES delivery.issues (tenant_id, id),
  CONSTRAINT ck_jira_pull_request_links_revision CHECK (revision > 0),
  CONSTRAINT ck_jira_pull_request_links_external_repo_id
    CHECK (char_length(external_repo_id) BETWEEN 1 AND 255),
  CONSTRAINT ck_jira_pull_request_links_repo_full_name
    CHECK (char_length(repo_full_name) BETWEEN 1 AND 500),
  CONSTRAINT ck_jira_pull_request_links_pull_request_number CHECK (pull_request_number > 0),
  CONSTRAINT ck_jira_pull_request_links_branch_name CHECK (char_length(branch_name) <= 1000),
  CONSTRAINT ck_jira_pull_request_links_commit_sha CHECK (char_length(commit_sha) <= 64),
  CONSTRAINT ck_jira_pull_request_links_pr_status
    CHECK (pr_status IN ('OPEN', 'MERGED', 'DECLINED', 'OTHER'))
);
-- Serves ListJiraPullRequestLinks.
CREATE INDEX ix_jira_pull_request_links_created
  ON delivery.jira_pull_request_links (tenant_id, created_at, id);
-- Links of an issue, and so on.
CREATE INDEX idx_jira_pull_request_links_issue_id
  ON delivery.jira_pull_request_links (tenant_id, issue_id, created_at, id);
-- A pull request's issues.
CREATE INDEX idx_jira_pull_request_links_external_repo_id
  ON delivery.jira_pull_request_links (tenant_id, external_repo_id, pull_request_number);
CREATE INDEX idx_jira_pull_request_links_repo_full_name
  ON delivery.jira_pull_request_links (tenant_id, repo_full_name, created_at, id);
CREATE INDEX ix_jira_pull_request_links_integration
  ON delivery.jira_pull_request_links (tenant_id, integration_id, created_at, id);

-- What teams achieved all over the world, by the yearly reports on it. They are no tenant's:
-- everybody reads them, and operators write them as the system role.
CREATE TABLE delivery.dora_market_benchmarks (
  id               uuid        NOT NULL,
  report_year      integer     NOT NULL,
  report_source    text        NOT NULL DEFAULT 'Google DORA Report',
  performance_tier text        NOT NULL,
  metric_name      text        NOT NULL COLLATE "C",
  metric_value     text        NOT NULL,
  metric_unit      text,
  revision         bigint      NOT NULL DEFAULT 1,
  created_at       timestamptz NOT NULL DEFAULT now(),
  last_updated_at  timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_dora_market_benchmarks PRIMARY KEY (id),
  -- Serves ListDoraMarketBenchmarks.
  CONSTRAINT uq_dora_market_benchmarks_key UNIQUE (report_year, performance_tier, metric_name),
  CONSTRAINT ck_dora_market_benchmarks_revision CHECK (revision > 0),
  CONSTRAINT ck_dora_market_benchmarks_report_year CHECK (report_year BETWEEN 2014 AND 9999),
  CONSTRAINT ck_dora_market_benchmarks_report_source
    CHECK (char_length(report_source) BETWEEN 1 AND 100),
  CONSTRAINT ck_dora_market_benchmarks_performance_tier
    CHECK (performance_tier IN ('ELITE', 'HIGH', 'MEDIUM', 'LOW')),
  CONSTRAINT ck_dora_market_benchmarks_metric_name
    CHECK (char_length(metric_name) BETWEEN 1 AND 50),
  CONSTRAINT ck_dora_market_benchmarks_metric_value
    CHECK (char_length(metric_value) BETWEEN 1 AND 50),
  CONSTRAINT ck_dora_market_benchmarks_metric_unit CHECK (char_length(metric_unit) <= 20)
);

CREATE TABLE delivery.dora_metric_insights (
  id              uuid        NOT NULL,
  report_year     integer     NOT NULL,
  metric_name     text        NOT NULL COLLATE "C",
  insight_text    text        NOT NULL,
  revision        bigint      NOT NULL DEFAULT 1,
  created_at      timestamptz NOT NULL DEFAULT now(),
  last_updated_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_dora_metric_insights PRIMARY KEY (id),
  -- Serves ListDoraMetricInsights.
  CONSTRAINT uq_dora_metric_insights_key UNIQUE (report_year, metric_name),
  CONSTRAINT ck_dora_metric_insights_revision CHECK (revision > 0),
  CONSTRAINT ck_dora_metric_insights_report_year CHECK (report_year BETWEEN 2014 AND 9999),
  CONSTRAINT ck_dora_metric_insights_metric_name CHECK (char_length(metric_name) BETWEEN 1 AND 50),
  CONSTRAINT ck_dora_metric_insights_insight_text
    CHECK (char_length(insight_text) BETWEEN 1 AND 10000)
);

ALTER TABLE delivery.integrations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE delivery.projects ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE delivery.issuetype_hierarchies ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE delivery.issuetype_mappings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE delivery.issuetypes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE delivery.workflows ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE delivery.status_mappings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE delivery.statuses ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE delivery.projects_issuetypes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE delivery.projects_statuses ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE delivery.issues ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE delivery.issue_changelogs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE delivery.repositories ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE delivery.pull_requests ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE delivery.pull_request_comments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE delivery.pull_request_reviews ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE delivery.pull_request_commits ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE delivery.jira_pull_request_links ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON delivery.integrations
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON delivery.projects
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON delivery.issuetype_hierarchies
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON delivery.issuetype_mappings
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON delivery.issuetypes
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON delivery.workflows
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON delivery.status_mappings
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON delivery.statuses
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON delivery.projects_issuetypes
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON delivery.projects_statuses
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON delivery.issues
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON delivery.issue_changelogs
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON delivery.repositories
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON delivery.pull_requests
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON delivery.pull_request_comments
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON delivery.pull_request_reviews
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON delivery.pull_request_commits
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON delivery.jira_pull_request_links
  USING (tenant_id = (SELECT platform.current_tenant()));
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.integrations TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.projects TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.issuetype_hierarchies TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.issuetype_mappings TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.issuetypes TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.workflows TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.status_mappings TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.statuses TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.projects_issuetypes TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.projects_statuses TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.issues TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.issue_changelogs TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.repositories TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.pull_requests TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.pull_request_comments TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.pull_request_reviews TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.pull_request_commits TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.jira_pull_request_links TO rapport_server;
GRANT SELECT ON delivery.dora_market_benchmarks, delivery.dora_metric_insights
  TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE
  ON delivery.dora_market_benchmarks, delivery.dora_metric_insights TO rapport_system;

-- What is embedded of each (docs/adr/0013). A pair has no words: its document is for those who
-- embed what it stands for.
SELECT search.attach('delivery.integrations', 'delivery.integration', '{name,base_search}');
SELECT search.attach('delivery.projects', 'delivery.project', '{key,name}');
SELECT search.attach('delivery.issuetype_hierarchies', 'delivery.issuetype_hierarchy',
  '{level_name,description}');
SELECT search.attach('delivery.issuetype_mappings', 'delivery.issuetype_mapping',
  '{issuetype_from,issuetype_to}');
SELECT search.attach('delivery.issuetypes', 'delivery.issuetype', '{original_name,description}');
SELECT search.attach('delivery.workflows', 'delivery.workflow', '{step_name}');
SELECT search.attach('delivery.status_mappings', 'delivery.status_mapping',
  '{status_from,status_to}');
SELECT search.attach('delivery.statuses', 'delivery.status', '{original_name,description}');
SELECT search.attach('delivery.projects_issuetypes', 'delivery.project_issuetype',
  '{project_id,issuetype_id}');
SELECT search.attach('delivery.projects_statuses', 'delivery.project_status',
  '{project_id,status_id}');
SELECT search.attach('delivery.issues', 'delivery.issue',
  '{key, summary, description, acceptance_criteria, priority, assignee, custom_field_01,
    custom_field_02, custom_field_03, custom_field_04, custom_field_05, custom_field_06,
    custom_field_07, custom_field_08, custom_field_09, custom_field_10, custom_field_11,
    custom_field_12, custom_field_13, custom_field_14, custom_field_15, custom_field_16,
    custom_field_17, custom_field_18, custom_field_19, custom_field_20}');
SELECT search.attach('delivery.issue_changelogs', 'delivery.issue_changelog', '{changed_by}');
SELECT search.attach('delivery.repositories', 'delivery.repository',
  '{full_name,name,description,language}');
SELECT search.attach('delivery.pull_requests', 'delivery.pull_request',
  '{name,number,body,user_name,source,destination}');
SELECT search.attach('delivery.pull_request_comments', 'delivery.pull_request_comment',
  '{body,path,author_login}');
SELECT search.attach('delivery.pull_request_reviews', 'delivery.pull_request_review',
  '{body,author_login}');
SELECT search.attach('delivery.pull_request_commits', 'delivery.pull_request_commit',
  '{message,author_name}');
SELECT search.attach('delivery.jira_pull_request_links', 'delivery.jira_pull_request_link',
  '{repo_full_name,branch_name}');
SELECT search.attach('delivery.dora_market_benchmarks', 'delivery.dora_market_benchmark',
  '{metric_name,performance_tier,metric_value,metric_unit,report_source}',
  '''00000000-0000-0000-0000-000000000000''::uuid');
SELECT search.attach('delivery.dora_metric_insights', 'delivery.dora_metric_insight',
  '{metric_name,insight_text}',
  '''00000000-0000-0000-0000-000000000000''::uuid');
