/** What all of search stands on: what makes vectors of texts. */
@NullMarked
package io.rapport.search;

import org.jspecify.annotations.NullMarked;
