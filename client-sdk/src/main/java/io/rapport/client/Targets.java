package io.rapport.client;

/** Reads what a gRPC target says about where it is. */
final class Targets {
  private Targets() {}

  /** Whether the target, {@code host:port} or {@code dns:///host:port}, is this machine. */
  static boolean loopback(String target) {
    String host = host(target.substring(target.lastIndexOf('/') + 1));
    return host.equals("localhost") || host.equals("::1") || host.matches("127(\\.\\d{1,3}){3}");
  }

  private static String host(String authority) {
    if (authority.startsWith("[")) {
      return authority.substring(1, Math.max(1, authority.indexOf(']')));
    }
    int colon = authority.indexOf(':');
    return colon < 0 ? authority : authority.substring(0, colon);
  }
}
