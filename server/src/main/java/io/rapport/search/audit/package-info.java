/** Whether searches by an index find what there is. */
@NullMarked
package io.rapport.search.audit;

import org.jspecify.annotations.NullMarked;
