/** What this server makes vectors of texts with. */
@NullMarked
package io.rapport.search.embedder;

import org.jspecify.annotations.NullMarked;
