package io.rapport.server;

/** Serves with the settings in the environment, until the process is told to stop. */
public final class Main {
  private static final int REFUSED = 2;

  private Main() {}

  public static void main(String[] args) throws InterruptedException {
    RapportServer server = start();
    Runtime.getRuntime().addShutdownHook(new Thread(server::close, "stop"));
    System.out.println("rapport: serving on port " + server.port());
    server.awaitTermination();
  }

  private static RapportServer start() {
    try {
      return RapportServer.start(ServerConfig.of(System.getenv()));
    } catch (ServerConfig.InvalidConfigException e) {
      System.err.println("rapport: " + e.getMessage());
      System.exit(REFUSED);
      throw e;
    }
  }
}
