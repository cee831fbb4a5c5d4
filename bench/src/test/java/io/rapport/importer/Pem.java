package io.rapport.importer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;

/** A certificate for 127.0.0.1 that is signed by itself, and its key, in PEM files. */
record Pem(Path certificate, Path key) {
  private static final String PASSWORD = "changeit";

  static Pem make(Path directory, String name) throws Exception {
    Path store = directory.resolve(name + ".p12");
    String keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
    List<String> command =
        List.of(
            (keytool
                    + " -genkeypair -keyalg EC -groupname secp256r1 -alias own -dname CN=own"
                    + " -ext SAN=ip:127.0.0.1 -ext BC=ca:true -validity 2 -storetype PKCS12"
                    + " -keystore "
                    + store
                    + " -storepass "
                    + PASSWORD)
                .split(" "));
    Process process = new ProcessBuilder(command).inheritIO().start();
    if (process.waitFor() != 0) {
      throw new IOException("keytool failed");
    }
    KeyStore keys = KeyStore.getInstance(store.toFile(), PASSWORD.toCharArray());
    Key key = keys.getKey("own", PASSWORD.toCharArray());
    return new Pem(
        write(store, "CERTIFICATE", keys.getCertificate("own").getEncoded()),
        write(store, "PRIVATE KEY", key.getEncoded()));
  }

  private static Path write(Path store, String kind, byte[] der) throws IOException {
    String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    return Files.writeString(
        Path.of(store + "." + kind.charAt(0)),
        "-----BEGIN " + kind + "-----\n" + body + "\n-----END " + kind + "-----\n");
  }
}
