/** Tells callers what changes, and forgets what is too old to be told. */
@NullMarked
package io.rapport.platform.watch;

import org.jspecify.annotations.NullMarked;
