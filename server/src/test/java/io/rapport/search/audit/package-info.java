@NullMarked
package io.rapport.search.audit;

import org.jspecify.annotations.NullMarked;
