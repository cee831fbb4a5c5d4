/** Breaks the service and what it stands on, and checks that its promises hold all the same. */
@NullMarked
package io.rapport.faults;

import org.jspecify.annotations.NullMarked;
