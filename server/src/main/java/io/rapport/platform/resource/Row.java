package io.rapport.platform.resource;

import com.google.protobuf.Message;
import org.jspecify.annotations.Nullable;

/**
 * An entity as it was read.
 *
 * @param entity with the fields that were asked for
 * @param position what the list is ordered by; null outside of lists
 */
record Row(Message.Builder entity, String id, long revision, @Nullable String position) {}
