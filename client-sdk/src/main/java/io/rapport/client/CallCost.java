package io.rapport.client;

import java.time.Duration;

/**
 * What one try of a call cost the service's database. Recorded events cost their call nothing here:
 * they share their commit with others.
 *
 * @param method the full name of the gRPC method
 * @param database how long its statements took
 * @param statements how many it sent
 * @param rows how many rows it read or changed
 * @param waiting how long it waited for database connections
 */
public record CallCost(
    String method, Duration database, long statements, long rows, Duration waiting) {}
