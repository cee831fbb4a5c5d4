/** What the data of events must be like, type by type. */
@NullMarked
package io.rapport.tracking.contract;

import org.jspecify.annotations.NullMarked;
