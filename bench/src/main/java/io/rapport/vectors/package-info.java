/** Real vectors for the benchmarks and faults of search. */
@NullMarked
package io.rapport.vectors;

import org.jspecify.annotations.NullMarked;
