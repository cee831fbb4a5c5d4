package io.rapport.platform;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a caller names a write by, so that it is done once however often it is asked for.
 *
 * @param digest of the RPC and all that was asked for
 */
record RequestKey(String subject, UUID id, ByteString digest) {
  private static final String ID = "request_id";
  private static final String VALIDATE_ONLY = "validate_only";

  /** The key of a request; empty if it names none. */
  static Optional<RequestKey> of(Caller caller, Message request) {
    FieldDescriptor field = request.getDescriptorForType().findFieldByName(ID);
    UUID id = field == null ? null : Uuids.parse((String) request.getField(field));
    return id == null
        ? Optional.empty()
        : Optional.of(new RequestKey(caller.subject(), id, digest(request, field)));
  }

  /** Whether the request only wants to know whether it would be done. */
  static boolean isValidateOnly(Message request) {
    FieldDescriptor field = request.getDescriptorForType().findFieldByName(VALIDATE_ONLY);
    return field != null && (Boolean) request.getField(field);
  }

  private static ByteString digest(Message request, @Nullable FieldDescriptor id) {
    Message rest = id == null ? request : request.toBuilder().clearField(id).build();
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      sha.update(request.getDescriptorForType().getFullName().getBytes(StandardCharsets.UTF_8));
      sha.update((byte) 0);
      return ByteString.copyFrom(sha.digest(deterministic(rest)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  private static byte[] deterministic(Message message) {
    byte[] bytes = new byte[message.getSerializedSize()];
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    out.useDeterministicSerialization();
    try {
      message.writeTo(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes;
  }
}
