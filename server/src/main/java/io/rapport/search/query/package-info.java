/** Finds entities of all kinds, by meaning and by words. */
@NullMarked
package io.rapport.search.query;

import org.jspecify.annotations.NullMarked;
