package io.rapport.server;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.joran.spi.JoranException;
import ch.qos.logback.core.read.ListAppender;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.rapport.platform.CallLog;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.LoggerFactory;
import org.slf4j.event.KeyValuePair;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/** What the log says of calls. */
class CallLogTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final String GET = "rapport.tracking.v1.EventService/GetEvent";
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final Metadata.Key<String> REQUEST_ID = key("rapport-request-id");

  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final Logger logger = (Logger) LoggerFactory.getLogger(CallLog.class);

  @BeforeEach
  void listen() {
    log.start();
    logger.addAppender(log);
  }

  @AfterEach
  void stopListening() {
    logger.detachAppender(log);
  }

  @Test
  void hasALineForEachCallIfAsked() {
    String id = Given.id();
    Wire.Ending ending = call(Map.of("RAPPORT_LOG_CALLS", "true"), id);

    ILoggingEvent line = log.list.getFirst();
    assertThat(line.getLevel()).isEqualTo(Level.INFO);
    assertThat(values(line))
        .containsEntry("method", GET)
        .containsEntry("code", "INVALID_ARGUMENT")
        .containsEntry("tenant_id", rapport.tenant().toString())
        .containsEntry("trace_id", TRACE)
        .containsEntry("request_id", id)
        .containsKey("ms");
    assertThat(ending.trailers().get(REQUEST_ID)).isEqualTo(id);
    assertThat(log.list).hasSize(1);
  }

  @Test
  void hasNoneForCallsThatAreQuickIfNotAsked() {
    call(Map.of("RAPPORT_SLOW_CALL_MS", "60000"), Given.id());

    assertThat(log.list).isEmpty();
  }

  @Test
  void hasOneForSlowCallsInAnyCase() throws Exception {
    try (RapportServer server = rapport.serve(Map.of("RAPPORT_SLOW_CALL_MS", "1"))) {
      ManagedChannel channel = Wire.open(server.port());
      rapport
          .sql()
          .transaction(tx -> {
            tx.dsl().execute("LOCK TABLE tracking.behavioral_events IN ACCESS EXCLUSIVE MODE");
            Wire.call(channel, "rapport.tracking.v1.EventService/CountEvents", new byte[0]);
          });
      channel.shutdownNow();
    }

    assertThat(log.list).extracting(ILoggingEvent::getFormattedMessage).contains("slow call");
    assertThat(log.list).extracting(ILoggingEvent::getLevel).containsOnly(Level.WARN);
  }

  @Test
  void givesCallsAnIdIfTheirCallersGiveNoneOrAText() {
    Wire.Ending ending = call(Map.of("RAPPORT_LOG_CALLS", "true"), "ada's own call");

    String id = Objects.requireNonNull(ending.trailers().get(REQUEST_ID));
    assertThat(UUID.fromString(id)).hasToString(id);
    assertThat(values(log.list.getFirst())).containsEntry("request_id", id);
  }

  @Test
  void canBeReadAsJson() throws Exception {
    call(Map.of("RAPPORT_LOG_CALLS", "true"), Given.id());

    String line = encoded("json", log.list.getFirst());
    assertThat(line)
        .endsWith("\n")
        .contains(TRACE, "EventService", "\"formattedMessage\":\"call\"");
    assertThat(line.strip()).doesNotContain("\n");
    assertThat(names(line)).contains("timestamp", "level", "method", "code", "request_id");
  }

  @Test
  void isTextUnlessJsonIsAskedFor() throws Exception {
    call(Map.of("RAPPORT_LOG_CALLS", "true"), Given.id());

    assertThat(encoded("", log.list.getFirst())).contains("INFO", "call", "method=" + GET);
  }

  private static Wire.Ending call(Map<String, String> variables, String requestId) {
    try (RapportServer server = rapport.serve(variables)) {
      ManagedChannel channel = Wire.open(server.port());
      Metadata headers =
          Wire.authorization("Bearer " + rapport.tokens().of(rapport.tenant(), Tokens.ALL_RIGHTS));
      headers.put(REQUEST_ID, requestId);
      headers.put(key("traceparent"), "00-" + TRACE + "-00f067aa0ba902b7-01");
      Wire.Ending ending = Wire.call(channel, GET, headers, CallOptions.DEFAULT, new byte[0]);
      channel.shutdownNow();
      return ending;
    }
  }

  /** The line as the server's own configuration writes it. */
  private static String encoded(String format, ILoggingEvent event) throws JoranException {
    LoggerContext context = new LoggerContext();
    if (!format.isEmpty()) {
      context.putProperty("RAPPORT_LOG_FORMAT", format);
    }
    JoranConfigurator configurator = new JoranConfigurator();
    configurator.setContext(context);
    configurator.doConfigure(Objects.requireNonNull(CallLogTest.class.getResource("/logback.xml")));
    var appenders = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).iteratorForAppenders();
    var appender = (ConsoleAppender<ILoggingEvent>) appenders.next();
    return new String(appender.getEncoder().encode(event), StandardCharsets.UTF_8);
  }

  private static List<String> names(String json) {
    List<String> names = new ArrayList<>();
    try (JsonParser parser = new JsonFactory().createParser(ObjectReadContext.empty(), json)) {
      for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
        if (token == JsonToken.PROPERTY_NAME) {
          names.add(parser.currentName());
        }
      }
    }
    return names;
  }

  private static Map<String, String> values(ILoggingEvent event) {
    Map<String, String> values = new HashMap<>();
    for (KeyValuePair pair : event.getKeyValuePairs()) {
      values.put(pair.key, String.valueOf(pair.value));
    }
    return values;
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}
