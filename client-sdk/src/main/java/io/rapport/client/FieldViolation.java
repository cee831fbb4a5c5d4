package io.rapport.client;

/**
 * One field of a request that breaks a rule.
 *
 * @param field the path of the field, such as {@code event.identity.provider}
 * @param description what is wrong, for people
 * @param rule the name of the rule; empty if the service did not tell
 */
public record FieldViolation(String field, String description, String rule) {}
