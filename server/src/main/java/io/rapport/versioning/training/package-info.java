/** Trainings of models: asked for, claimed by workers, completed. */
@NullMarked
package io.rapport.versioning.training;

import org.jspecify.annotations.NullMarked;
