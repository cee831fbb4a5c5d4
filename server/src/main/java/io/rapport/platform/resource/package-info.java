/** Serves entities that are only data, as the contract and their tables describe them. */
@NullMarked
package io.rapport.platform.resource;

import org.jspecify.annotations.NullMarked;
