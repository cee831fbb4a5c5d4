/** What models are trained on: which events, how many, how good they are, and how they change. */
@NullMarked
package io.rapport.versioning.dataset;

import org.jspecify.annotations.NullMarked;
