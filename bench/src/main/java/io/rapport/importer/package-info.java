/** Streams files of events into the service. */
@NullMarked
package io.rapport.importer;

import org.jspecify.annotations.NullMarked;
