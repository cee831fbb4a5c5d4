package io.rapport.client;

/** A kind of entity that can be searched. */
public enum SearchKind {
  /** The tenant itself, for operators. */
  TENANTS("identity.tenant"),
  /** Users. */
  USERS("identity.user"),
  /** What single users may and may not do. */
  PERMISSIONS("identity.user_permission"),
  /** Users' sign-ins. */
  SIGN_INS("identity.sign_in"),
  /** Settings of the tenant's applications. */
  SETTINGS("identity.system_setting"),
  /** Where a tenant's data comes from. */
  INTEGRATIONS("delivery.integration"),
  /** Projects of issue trackers. */
  PROJECTS("delivery.project"),
  /** Issues. */
  ISSUES("delivery.issue"),
  /** Repositories. */
  REPOSITORIES("delivery.repository"),
  /** Pull requests. */
  PULL_REQUESTS("delivery.pull_request"),
  /** Comments on pull requests. */
  PULL_REQUEST_COMMENTS("delivery.pull_request_comment"),
  /** Reviews of pull requests. */
  PULL_REQUEST_REVIEWS("delivery.pull_request_review"),
  /** Commits of pull requests. */
  PULL_REQUEST_COMMITS("delivery.pull_request_commit"),
  /** Statuses of issues. */
  STATUSES("delivery.status"),
  /** Which step a status counts as. */
  STATUS_MAPPINGS("delivery.status_mapping"),
  /** Types of issues. */
  ISSUETYPES("delivery.issuetype"),
  /** Which type a source's type counts as. */
  ISSUETYPE_MAPPINGS("delivery.issuetype_mapping"),
  /** Levels of issue types. */
  ISSUETYPE_HIERARCHIES("delivery.issuetype_hierarchy"),
  /** Steps of workflows. */
  WORKFLOWS("delivery.workflow"),
  /** Changes of issues' statuses. */
  ISSUE_CHANGELOGS("delivery.issue_changelog"),
  /** Links between issues and pull requests. */
  JIRA_PULL_REQUEST_LINKS("delivery.jira_pull_request_link"),
  /** Which issue types projects have. */
  PROJECT_ISSUETYPES("delivery.project_issuetype"),
  /** Which statuses projects have. */
  PROJECT_STATUSES("delivery.project_status"),
  /** What others achieve, as reports tell. */
  DORA_MARKET_BENCHMARKS("delivery.dora_market_benchmark"),
  /** What reports say about it. */
  DORA_METRIC_INSIGHTS("delivery.dora_metric_insight"),
  /** What assistants got wrong. */
  LEARNING_MEMORY("monitoring.learning_memory"),
  /** Events with a text. */
  EVENTS("tracking.behavioral_event");

  private final String code;

  SearchKind(String code) {
    this.code = code;
  }

  /** As the service calls it, such as {@code identity.user}. */
  public String code() {
    return code;
  }
}
