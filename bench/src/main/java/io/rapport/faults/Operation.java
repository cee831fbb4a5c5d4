package io.rapport.faults;

/**
 * One write of a client.
 *
 * @param rpc what was called
 * @param key of what it makes; unique in a history
 * @param start when it was called, in nanoseconds of this process's clock; likewise {@code end}
 */
record Operation(int client, String rpc, String key, long start, long end, Outcome outcome) {}
