/** Measures the service against what it stands on: docs/benchmarks.md tells how. */
@NullMarked
package io.rapport.bench;

import org.jspecify.annotations.NullMarked;
