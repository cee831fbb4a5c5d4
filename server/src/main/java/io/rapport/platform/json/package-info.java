/** JSON objects in one form, whichever way they came. */
@NullMarked
package io.rapport.platform.json;

import org.jspecify.annotations.NullMarked;
