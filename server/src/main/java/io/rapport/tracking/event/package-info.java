/** Behavioral events: recording, reading, counting. */
@NullMarked
package io.rapport.tracking.event;

import org.jspecify.annotations.NullMarked;
