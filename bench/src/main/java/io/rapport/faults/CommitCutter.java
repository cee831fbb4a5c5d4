package io.rapport.faults;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Reads PostgreSQL's protocol and breaks connections at the COMMIT of transactions that wrote:
 * before it arrives, so that they are undone, or after it is done, before its sender hears of it.
 */
final class CommitCutter implements Supplier<TcpProxy.Tap> {
  private static final int SSL = 80877103;
  private static final int GSS = 80877104;
  private static final int MAX_START = 10_000;

  /** Where to cut. */
  enum Cut {
    NOWHERE,
    BEFORE,
    AFTER
  }

  private final AtomicInteger before = new AtomicInteger();
  private final AtomicInteger after = new AtomicInteger();
  private volatile Supplier<Cut> plan = () -> Cut.NOWHERE;

  /** Asked at every COMMIT of a transaction that wrote, by several threads. */
  void plan(Supplier<Cut> next) {
    plan = next;
  }

  /** How many were cut before and after. */
  int before() {
    return before.get();
  }

  int after() {
    return after.get();
  }

  @Override
  public TcpProxy.Tap get() {
    return new Session();
  }

  private final class Session implements TcpProxy.Tap {
    private final Map<String, String> statements = new ConcurrentHashMap<>();
    private final Map<String, String> portals = new ConcurrentHashMap<>();
    private final AtomicInteger negotiations = new AtomicInteger();
    private volatile boolean cutNext;
    private boolean wrote;

    @Override
    public void fromClient(InputStream from, OutputStream to) throws IOException {
      DataInputStream in = new DataInputStream(new BufferedInputStream(from));
      DataOutputStream out = new DataOutputStream(new BufferedOutputStream(to, 65_536));
      passStart(in, out);
      while (true) {
        int type = in.readUnsignedByte();
        byte[] body = new byte[in.readInt() - Integer.BYTES];
        in.readFully(body);
        watch(type, body, out);
        out.writeByte(type);
        out.writeInt(body.length + Integer.BYTES);
        out.write(body);
        if (in.available() == 0) {
          out.flush();
        }
      }
    }

    private void passStart(DataInputStream in, DataOutputStream out) throws IOException {
      int code;
      do {
        byte[] body = new byte[Math.clamp(in.readInt() - Integer.BYTES, 0, MAX_START)];
        in.readFully(body);
        code = ByteBuffer.wrap(body).getInt();
        if (code == SSL || code == GSS) {
          negotiations.incrementAndGet();
        }
        out.writeInt(body.length + Integer.BYTES);
        out.write(body);
        out.flush();
      } while (code == SSL || code == GSS);
    }

    private void watch(int type, byte[] body, OutputStream out) throws IOException {
      switch (type) {
        case 'P' -> statements.put(text(body, 0), text(body, text(body, 0).length() + 1));
        case 'B' -> {
          String statement = text(body, text(body, 0).length() + 1);
          portals.put(text(body, 0), statements.getOrDefault(statement, ""));
        }
        case 'E' -> run(portals.getOrDefault(text(body, 0), ""), out);
        case 'Q' -> run(text(body, 0), out);
        default -> {} // says nothing of transactions
      }
    }

    private void run(String sql, OutputStream out) throws IOException {
      String text = sql.strip();
      if (text.equalsIgnoreCase("COMMIT")) {
        if (wrote) {
          cut(plan.get(), out);
        }
        wrote = false;
      } else if (text.equalsIgnoreCase("BEGIN") || text.equalsIgnoreCase("ROLLBACK")) {
        wrote = false;
      } else {
        wrote |= text.contains("INSERT INTO") || text.contains("insert into");
      }
    }

    private void cut(Cut where, OutputStream out) throws IOException {
      switch (where) {
        case NOWHERE -> {}
        case BEFORE -> {
          before.incrementAndGet();
          out.flush();
          throw new EOFException("cut before COMMIT");
        }
        case AFTER -> cutNext = true;
      }
    }

    private static String text(byte[] body, int from) {
      int end = from;
      while (body[end] != 0) {
        end++;
      }
      return new String(body, from, end - from, StandardCharsets.ISO_8859_1);
    }

    @Override
    public void fromServer(InputStream from, OutputStream to) throws IOException {
      DataInputStream in = new DataInputStream(new BufferedInputStream(from));
      DataOutputStream out = new DataOutputStream(new BufferedOutputStream(to, 65_536));
      while (true) {
        int type = in.readUnsignedByte();
        out.writeByte(type);
        if (negotiations.get() > 0) {
          negotiations.decrementAndGet();
          out.flush();
          continue;
        }
        byte[] body = new byte[in.readInt() - Integer.BYTES];
        in.readFully(body);
        if (type == 'C' && cutNext && text(body, 0).equals("COMMIT")) {
          after.incrementAndGet();
          throw new EOFException("cut after COMMIT");
        }
        out.writeInt(body.length + Integer.BYTES);
        out.write(body);
        if (in.available() == 0) {
          out.flush();
        }
      }
    }
  }
}
