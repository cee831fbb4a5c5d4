package io.rapport.faults;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Reads HTTP/2 and breaks connections when the answer to a request is about to pass: its sender
 * can't know whether the request was done.
 */
final class AnswerCutter implements Supplier<TcpProxy.Tap> {
  private static final int PREFACE = 24;
  private static final int DATA = 0;
  private static final int HEADERS = 1;

  private final AtomicInteger cuts = new AtomicInteger();
  private volatile BooleanSupplier plan = () -> false;

  /** Asked when the first part of an answer comes, by several threads. */
  void plan(BooleanSupplier next) {
    plan = next;
  }

  /** How many answers were cut off. */
  int cuts() {
    return cuts.get();
  }

  @Override
  public TcpProxy.Tap get() {
    return new Session();
  }

  private final class Session implements TcpProxy.Tap {
    private final Set<Integer> requested = ConcurrentHashMap.newKeySet();

    @Override
    public void fromClient(InputStream from, OutputStream to) throws IOException {
      DataInputStream in = new DataInputStream(new BufferedInputStream(from));
      DataOutputStream out = new DataOutputStream(new BufferedOutputStream(to, 65_536));
      out.write(in.readNBytes(PREFACE));
      while (true) {
        Frame frame = Frame.read(in);
        if (frame.type() == DATA) {
          requested.add(frame.stream());
        }
        frame.write(out);
        if (in.available() == 0) {
          out.flush();
        }
      }
    }

    @Override
    public void fromServer(InputStream from, OutputStream to) throws IOException {
      DataInputStream in = new DataInputStream(new BufferedInputStream(from));
      DataOutputStream out = new DataOutputStream(new BufferedOutputStream(to, 65_536));
      while (true) {
        Frame frame = Frame.read(in);
        boolean answers = frame.type() == DATA || frame.type() == HEADERS;
        if (answers && requested.remove(frame.stream()) && plan.getAsBoolean()) {
          cuts.incrementAndGet();
          throw new EOFException("cut before an answer");
        }
        frame.write(out);
        if (in.available() == 0) {
          out.flush();
        }
      }
    }
  }

  private static final class Frame {
    private static final int HEAD = 9;

    private final byte[] head;
    private final byte[] body;

    private Frame(byte[] head, byte[] body) {
      this.head = head;
      this.body = body;
    }

    static Frame read(DataInputStream in) throws IOException {
      byte[] head = new byte[HEAD];
      in.readFully(head);
      int length = (head[0] & 0xff) << 16 | (head[1] & 0xff) << 8 | (head[2] & 0xff);
      byte[] body = new byte[length];
      in.readFully(body);
      return new Frame(head, body);
    }

    int type() {
      return head[3];
    }

    int stream() {
      return (head[5] & 0x7f) << 24
          | (head[6] & 0xff) << 16
          | (head[7] & 0xff) << 8
          | (head[8] & 0xff);
    }

    void write(DataOutputStream out) throws IOException {
      out.write(head);
      out.write(body);
    }
  }
}
