package io.rapport.client;

/**
 * What became of many vectors.
 *
 * @param written how many were written
 * @param unchanged how many were there just so
 * @param stale of how many the entity has another text by now
 * @param notFound of how many there is no such entity, or one without a text
 */
public record EmbeddingSummary(long written, long unchanged, long stale, long notFound) {}
