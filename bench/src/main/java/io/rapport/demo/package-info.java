/** Stories on real data, told through the SDK. */
@NullMarked
package io.rapport.demo;

import org.jspecify.annotations.NullMarked;
