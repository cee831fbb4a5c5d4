@NullMarked
package io.rapport.db;

import org.jspecify.annotations.NullMarked;
