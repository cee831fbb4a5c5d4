package io.rapport.platform;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.DescriptorProtos.SourceCodeInfo.Location;
import com.google.protobuf.Descriptors.FileDescriptor;
import io.grpc.Status.Code;
import io.rapport.platform.v1.ErrorReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** docs/errors.md and the contract's ErrorReason say the same. */
class ErrorsDocumentTest {
  private static final Path DOCUMENT = Path.of("../docs/errors.md");
  private static final int ENUM_TYPE = 5;
  private static final int VALUE = 2;

  private record Row(String reason, String code, String when, String advice, String repeated) {
    static Row of(String line) {
      String[] cells = line.split("\\|", -1);
      assertThat(cells).as(line).hasSize(7);
      return new Row(
          cells[1].replace("`", "").strip(),
          cells[2].strip(),
          cells[3].strip(),
          cells[4].strip(),
          cells[5].strip());
    }
  }

  @Test
  void namesEveryReasonInTheContractsOrderAndNothingElse() throws IOException {
    List<String> reasons = new ArrayList<>();
    for (ErrorReason reason : ErrorReason.values()) {
      if (reason != ErrorReason.ERROR_REASON_UNSPECIFIED && reason != ErrorReason.UNRECOGNIZED) {
        reasons.add(reason.name());
      }
    }

    assertThat(rows()).extracting(Row::reason).containsExactlyElementsOf(reasons);
  }

  @Test
  void givesTheCodeThatTheContractGives() throws IOException {
    Map<String, String> comments = comments();

    assertThat(rows())
        .allSatisfy(row -> {
          assertThat(comments.get(row.reason())).startsWith(row.code() + ": ");
          assertThat(Code.valueOf(row.code())).isNotEqualTo(Code.OK);
        });
  }

  @Test
  void tellsWhenItComesAndWhatToDo() throws IOException {
    assertThat(rows())
        .allSatisfy(row -> {
          assertThat(row.when()).as(row.reason()).endsWith(".");
          assertThat(row.advice()).as(row.reason()).endsWith(".");
        });
  }

  /** What RapportClient does: see its Retrier. */
  @Test
  void tellsWhatTheSdkRepeats() throws IOException {
    Set<String> repeated = Set.of("UNAVAILABLE", "UNKNOWN");

    assertThat(rows())
        .allSatisfy(row ->
            assertThat(row.repeated())
                .as(row.reason())
                .matches(repeated.contains(row.code()) ? "yes" : "no(; .+)?"));
  }

  private static List<Row> rows() throws IOException {
    return Files.readAllLines(DOCUMENT).stream()
        .filter(line -> line.startsWith("| `"))
        .map(Row::of)
        .toList();
  }

  private static Map<String, String> comments() {
    FileDescriptor file =
        Contract.load().ownFiles().stream()
            .filter(it -> it.getName().endsWith("error_reason.proto"))
            .findFirst()
            .orElseThrow();
    var type = file.getEnumTypes().getFirst();
    Map<String, String> comments = new HashMap<>();
    for (Location location : file.toProto().getSourceCodeInfo().getLocationList()) {
      List<Integer> path = location.getPathList();
      if (path.size() == 4 && path.get(0) == ENUM_TYPE && path.get(2) == VALUE) {
        comments.put(
            type.getValues().get(path.get(3)).getName(), location.getLeadingComments().strip());
      }
    }
    return comments;
  }
}
