package io.rapport.faults;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Stands between clients and a server of this machine, and breaks what passes. */
final class TcpProxy implements AutoCloseable {
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(5);

  /** Passes on the bytes of one connection; when either way ends, both are cut. */
  interface Tap {
    void fromClient(InputStream in, OutputStream out) throws IOException;

    void fromServer(InputStream in, OutputStream out) throws IOException;
  }

  private final int target;
  private final int port;
  private final Supplier<? extends Tap> taps;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private volatile ServerSocket listener;
  private volatile boolean hung;

  /** A tap that lets everything pass. */
  private static final class Open implements Tap {
    @Override
    public void fromClient(InputStream in, OutputStream out) throws IOException {
      in.transferTo(out);
    }

    @Override
    public void fromServer(InputStream in, OutputStream out) throws IOException {
      in.transferTo(out);
    }
  }

  TcpProxy(int target) throws IOException {
    this(target, Open::new);
  }

  TcpProxy(int target, Supplier<? extends Tap> taps) throws IOException {
    this.target = target;
    this.taps = taps;
    this.listener = listen(0);
    this.port = listener.getLocalPort();
  }

  int port() {
    return port;
  }

  /** Breaks all connections, and takes no new ones. */
  void vanish() throws IOException {
    listener.close();
    cut();
  }

  /** Breaks all connections; new ones may come. */
  void cut() throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
    sockets.clear();
  }

  /** Takes connections again; the port may be held for a moment by one that is ending. */
  void comeBack() throws IOException {
    hung = false;
    long end = System.nanoTime() + PATIENCE;
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

  /** From now on what is sent is taken and never arrives. */
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
    while (!from.isClosed()) {
      try {
        join(from, from.accept());
      } catch (IOException refused) {
        Thread.onSpinWait(); // by either side: the next may come through
      }
    }
  }

  private void join(ServerSocket from, Socket near) throws IOException {
    sockets.add(near);
    Socket far;
    try {
      far = new Socket(InetAddress.getLoopbackAddress(), target);
    } catch (IOException away) {
      near.close();
      throw away;
    }
    sockets.add(far);
    near.setTcpNoDelay(true);
    far.setTcpNoDelay(true);
    if (from.isClosed()) { // it vanished between the two
      near.close();
      far.close();
    }
    Tap tap = taps.get();
    Thread.startVirtualThread(() ->
        pass(
            near,
            far,
            () -> tap.fromClient(near.getInputStream(), new Valve(far.getOutputStream()))));
    Thread.startVirtualThread(() ->
        pass(
            near,
            far,
            () -> tap.fromServer(far.getInputStream(), new Valve(near.getOutputStream()))));
  }

  private interface Way {
    void go() throws IOException;
  }

  private void pass(Socket near, Socket far, Way way) {
    try (near;
        far) {
      way.go();
    } catch (IOException ended) {
      return;
    } finally {
      sockets.remove(near);
      sockets.remove(far);
    }
  }

  /** Swallows what is written while the proxy hangs. */
  private final class Valve extends OutputStream {
    private final OutputStream out;

    private Valve(OutputStream out) {
      this.out = out;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int length) throws IOException {
      if (!hung) {
        out.write(bytes, from, length);
      }
    }
  }

  @Override
  public void close() throws IOException {
    vanish();
  }
}
