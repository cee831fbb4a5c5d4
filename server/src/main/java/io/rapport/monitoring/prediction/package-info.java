/** What models predicted, what came true, and how well they do. */
@NullMarked
package io.rapport.monitoring.prediction;

import org.jspecify.annotations.NullMarked;
