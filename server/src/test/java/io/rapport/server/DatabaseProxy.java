package io.rapport.server;

import io.rapport.db.Database;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Stands before a database and lets it seem gone or hung. */
final class DatabaseProxy implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(3);

  private final Database database;
  private final URI target;
  private final int port;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private volatile boolean hung;
  private volatile ServerSocket listener;

  DatabaseProxy(Database database) throws IOException {
    this.database = database;
    this.target = URI.create(database.jdbcUrl().substring("jdbc:".length()));
    this.listener = listen(0);
    this.port = listener.getLocalPort();
  }

  /** The database as it is reached through this proxy. */
  Database database() {
    String url = database.jdbcUrl().replace(":" + target.getPort() + "/", ":" + port + "/");
    return new Database(url, database.user(), database.password());
  }

  /** Breaks all connections and takes no new ones. */
  void vanish() throws IOException {
    listener.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  /** The port may be held for a moment by a connection that is still ending. */
  void comeBack() throws IOException {
    hung = false;
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        listener = listen(port);
        return;
      } catch (BindException held) {
        if (System.nanoTime() > end) {
          throw held;
        }
      }
    }
  }

  /** From now on what is sent is read and never arrives. */
  void hang() {
    hung = true;
  }

  private ServerSocket listen(int where) throws IOException {
    ServerSocket made = new ServerSocket();
    made.setReuseAddress(true);
    made.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), where));
    Thread.startVirtualThread(() -> accept(made));
    return made;
  }

  private void accept(ServerSocket from) {
    try {
      while (true) {
        Socket near = from.accept();
        Socket far = new Socket(target.getHost(), target.getPort());
        sockets.add(near);
        sockets.add(far);
        if (from.isClosed()) { // it vanished between the two
          near.close();
          far.close();
        }
        Thread.startVirtualThread(() -> copy(near, far));
        Thread.startVirtualThread(() -> copy(far, near));
      }
    } catch (IOException closed) {
      return;
    }
  }

  private void copy(Socket from, Socket to) {
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      byte[] bytes = new byte[8192];
      for (int n = in.read(bytes); n >= 0; n = in.read(bytes)) {
        if (!hung) {
          out.write(bytes, 0, n);
        }
      }
    } catch (IOException closed) {
      return;
    }
  }

  @Override
  public void close() throws IOException {
    vanish();
  }
}
