/** Properties of events that a tenant filters and counts by. */
@NullMarked
package io.rapport.tracking.property;

import org.jspecify.annotations.NullMarked;
