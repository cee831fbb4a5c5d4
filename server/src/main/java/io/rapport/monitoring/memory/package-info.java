/** What assistants got wrong, and how to get it right. */
@NullMarked
package io.rapport.monitoring.memory;

import org.jspecify.annotations.NullMarked;
