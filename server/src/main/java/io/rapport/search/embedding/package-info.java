/** Keeps vectors of texts, and hands out the texts that need one. */
@NullMarked
package io.rapport.search.embedding;

import org.jspecify.annotations.NullMarked;
