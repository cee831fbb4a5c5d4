/** Makes the Java classes of the tables, while the module is built. */
@NullMarked
package io.rapport.db.codegen;

import org.jspecify.annotations.NullMarked;
