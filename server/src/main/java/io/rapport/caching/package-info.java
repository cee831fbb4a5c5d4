/** What models said, kept until what it was computed from changes. */
@NullMarked
package io.rapport.caching;

import org.jspecify.annotations.NullMarked;
