/** Issues, repositories and pull requests, the steps of work, and what others achieve. */
@NullMarked
package io.rapport.delivery;

import org.jspecify.annotations.NullMarked;
