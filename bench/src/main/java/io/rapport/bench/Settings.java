package io.rapport.bench;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How much is measured.
 *
 * @param rows events of one run of an ingest
 * @param span how long one run of a load lasts
 * @param data the real events; null: synthetic ones of the same shape
 * @param recordings where the server's flight recordings go; null: none
 */
record Settings(
    int rows,
    int pairs,
    Duration warmUp,
    Duration span,
    @Nullable Path data,
    @Nullable Path recordings) {}
