package io.rapport.server;

import com.nimbusds.jwt.JWTClaimsSet;
import io.rapport.db.CommandLines;
import io.rapport.db.LocalPostgres;
import io.rapport.platform.Contract;
import io.rapport.platform.Rights;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Signs a token that the server of this checkout trusts in development. */
@Command(
    name = "bin/token",
    mixinStandardHelpOptions = true,
    description = "Prints a token for a tenant, which the development server of bin/serve trusts.")
public final class Token implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Option(names = "--tenant", required = true, paramLabel = "UUID", description = "The tenant.")
  private @Nullable UUID tenant;

  @Option(
      names = "--scope",
      paramLabel = "RIGHTS",
      description = "The rights, with blanks between them; all rights if not given.")
  private @Nullable String scope;

  @Option(names = "--subject", defaultValue = "developer", description = "Who calls.")
  private String subject = "";

  @Option(names = "--hours", defaultValue = "24", description = "How long it is good for.")
  private int hours;

  @Option(names = "--data", paramLabel = "DIR", description = "As for bin/serve.")
  private @Nullable Path data;

  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
  }

  static CommandLine commandLine() {
    return CommandLines.of("rapport", new Token());
  }

  @Override
  public Integer call() {
    requireTime();
    Instant now = Clock.systemUTC().instant();
    JWTClaimsSet claims =
        new JWTClaimsSet.Builder()
            .subject(subject)
            .claim("tenant", String.valueOf(tenant))
            .claim("scope", scope == null ? allRights() : scope)
            .expirationTime(Date.from(now.plus(Duration.ofHours(hours))))
            .build();
    Path directory = data == null ? LocalPostgres.defaultDirectory(Serve.checkout()) : data;
    System.out.println(DevelopmentKey.in(directory).sign(claims));
    return 0;
  }

  private void requireTime() {
    if (spec != null && hours < 1) {
      throw new ParameterException(spec.commandLine(), "--hours must be 1 or more: " + hours);
    }
  }

  private static String allRights() {
    return String.join(" ", new TreeSet<>(Rights.all(Contract.load())));
  }
}
