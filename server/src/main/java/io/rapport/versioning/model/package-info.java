/** Versions of models, which of them is active, and how they do. */
@NullMarked
package io.rapport.versioning.model;

import org.jspecify.annotations.NullMarked;
