/** The process: settings, wiring, start and stop. */
@NullMarked
package io.rapport.server;

import org.jspecify.annotations.NullMarked;
