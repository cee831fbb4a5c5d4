package io.rapport.db;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.TypeConversionException;

/** The commands in {@code bin/}: what is wrong with them they say in one line. */
public final class CommandLines {
  private static final int FAILED = 1;
  private static final int MISUSED = 2;

  private CommandLines() {}

  /** A command that exits with 1 if it fails and 2 if it was not understood. */
  public static CommandLine of(String speaker, Object command) {
    return new CommandLine(command)
        .registerConverter(UUID.class, CommandLines::uuid)
        .setParameterExceptionHandler(
            (wrong, arguments) -> say(wrong.getCommandLine(), speaker, wrong.getMessage(), MISUSED))
        .setExecutionExceptionHandler(
            (failure, line, parsed) -> say(line, speaker, told(failure), FAILED));
  }

  private static UUID uuid(String text) {
    if (!text.matches("\\p{XDigit}{8}(-\\p{XDigit}{4}){3}-\\p{XDigit}{12}")) {
      throw new TypeConversionException("'" + text + "' is not a UUID");
    }
    return UUID.fromString(text);
  }

  private static int say(CommandLine line, String speaker, @Nullable String what, int status) {
    line.getErr().println(speaker + ": " + String.valueOf(what).replaceAll("\\R\\s*", " "));
    line.getErr().flush();
    return status;
  }

  private static String told(Throwable failure) {
    String message = failure.getMessage();
    if (message == null) {
      return failure.toString();
    }
    return switch (failure) {
      case NoSuchFileException absent -> "no such file: " + message;
      case AccessDeniedException closed -> "can't be read: " + message;
      default ->
          failure.getCause() instanceof IOException why
              ? message + " (" + told(why) + ")"
              : message;
    };
  }
}
