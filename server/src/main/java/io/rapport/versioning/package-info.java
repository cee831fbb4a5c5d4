/** What all of versioning writes with. */
@NullMarked
package io.rapport.versioning;

import org.jspecify.annotations.NullMarked;
