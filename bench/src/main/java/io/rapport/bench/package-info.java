/** Measures the service against what it stands on, side by side in one run. */
@NullMarked
package io.rapport.bench;

import org.jspecify.annotations.NullMarked;
