package io.rapport.server;

import com.google.protobuf.ByteString;
import io.grpc.netty.shaded.io.netty.buffer.Unpooled;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2Exception;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** A client that sends frames as no library would. */
final class RawHttp2 implements AutoCloseable {
  static final int DATA = 0;
  static final int HEADERS = 1;
  static final int RST_STREAM = 3;
  static final int SETTINGS = 4;
  static final int PING = 6;
  static final int GOAWAY = 7;
  static final int END_STREAM = 1;
  static final int END_HEADERS = 4;

  private static final int PATIENCE_MILLIS = 15_000;
  private static final byte[] PREFACE =
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private final Socket socket;
  private final OutputStream out;
  private final DataInputStream in;
  private final DefaultHttp2HeadersDecoder headers = new DefaultHttp2HeadersDecoder(false);

  record Frame(int type, int flags, int stream, ByteString payload) {}

  /** How a stream, or the connection with it, ended. */
  record Answer(Map<String, String> headers, boolean reset, boolean connectionClosed) {
    String status() {
      return headers.getOrDefault("grpc-status", "");
    }
  }

  RawHttp2(int port) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(PATIENCE_MILLIS);
    out = socket.getOutputStream();
    in = new DataInputStream(socket.getInputStream());
  }

  RawHttp2 preface() throws IOException {
    out.write(PREFACE);
    return frame(SETTINGS, 0, 0, new byte[0]);
  }

  RawHttp2 bytes(byte[] bytes) throws IOException {
    out.write(bytes);
    out.flush();
    return this;
  }

  RawHttp2 frame(int type, int flags, int stream, byte[] payload) throws IOException {
    ByteBuffer frame = ByteBuffer.allocate(9 + payload.length);
    frame.put((byte) (payload.length >> 16)).putShort((short) payload.length);
    frame.put((byte) type).put((byte) flags).putInt(stream).put(payload);
    return bytes(frame.array());
  }

  RawHttp2 headers(int stream, int flags, Map<String, String> fields) throws IOException {
    return frame(HEADERS, END_HEADERS | flags, stream, encode(fields));
  }

  /** What every gRPC call says. */
  static Map<String, String> call(String path) {
    Map<String, String> fields = new LinkedHashMap<>();
    fields.put(":method", "POST");
    fields.put(":scheme", "http");
    fields.put(":path", path);
    fields.put(":authority", "localhost");
    fields.put("content-type", "application/grpc");
    fields.put("te", "trailers");
    return fields;
  }

  /** A length-prefixed gRPC message. */
  static byte[] message(int flag, int length, byte[] body) {
    return ByteBuffer.allocate(5 + body.length).put((byte) flag).putInt(length).put(body).array();
  }

  /** Literal fields that enter no table. */
  private static byte[] encode(Map<String, String> fields) {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    fields.forEach((name, value) -> {
      block.write(0);
      string(block, name);
      string(block, value);
    });
    return block.toByteArray();
  }

  private static void string(ByteArrayOutputStream block, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    int rest = bytes.length;
    if (rest < 127) {
      block.write(rest);
    } else {
      block.write(127);
      rest -= 127;
      while (rest >= 128) {
        block.write(rest % 128 + 128);
        rest /= 128;
      }
      block.write(rest);
    }
    block.writeBytes(bytes);
  }

  /** The next frame; answers settings and pings by itself. */
  Frame read() throws IOException {
    while (true) {
      int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
      int type = in.readUnsignedByte();
      int flags = in.readUnsignedByte();
      int stream = in.readInt();
      byte[] payload = in.readNBytes(length);
      if (type == SETTINGS && flags == 0) {
        frame(SETTINGS, 1, 0, new byte[0]);
      } else if (type == PING && flags == 0) {
        frame(PING, 1, 0, payload);
      } else {
        return new Frame(type, flags, stream, ByteString.copyFrom(payload));
      }
    }
  }

  /** Reads until the stream ends. */
  Answer answer(int stream) throws IOException {
    Map<String, String> fields = new HashMap<>();
    try {
      while (true) {
        Frame frame = read();
        if (frame.type() == HEADERS) {
          headers
              .decodeHeaders(stream, Unpooled.wrappedBuffer(frame.payload().toByteArray()))
              .forEach(field -> fields.put(field.getKey().toString(), field.getValue().toString()));
        }
        if (frame.stream() == stream && frame.type() == RST_STREAM) {
          return new Answer(fields, true, false);
        }
        boolean last = (frame.flags() & END_STREAM) != 0;
        if (frame.stream() == stream && last && frame.type() <= HEADERS) {
          return new Answer(fields, false, false);
        }
      }
    } catch (EOFException | SocketException e) {
      return new Answer(fields, false, true);
    } catch (Http2Exception e) {
      throw new IOException(e);
    }
  }

  /** Whether the other side closes the connection, whatever it says before. */
  boolean isClosed() throws IOException {
    try {
      in.skipNBytes(Long.MAX_VALUE);
      return false;
    } catch (EOFException | SocketException e) {
      return true;
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
