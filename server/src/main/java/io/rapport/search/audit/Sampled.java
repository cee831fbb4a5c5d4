package io.rapport.search.audit;

/**
 * A search to do again.
 *
 * @param vector what was searched for, as PostgreSQL reads it
 * @param neighbours how many it was for
 */
record Sampled(Subject subject, String vector, int neighbours) {}
