package io.rapport.search.embedder;

import io.rapport.search.Embedder;
import io.rapport.search.EmbedderException;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** What is sent to an endpoint that speaks as OpenAI's does, and what it answers. */
final class RemoteJson {
  /** About as much as the usual models read: 8,191 tokens. */
  private static final int MAX_CHARACTERS = 24_000;

  private static final JsonFactory JSON = JsonFactory.builder().build();

  private RemoteJson() {}

  static byte[] request(RemoteModel settings, List<String> texts) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
      json.writeStartObject();
      json.writeStringProperty("model", settings.model());
      json.writeStringProperty("encoding_format", "float");
      if (settings.shorten()) {
        json.writeNumberProperty("dimensions", settings.dimensions());
      }
      json.writeArrayPropertyStart("input");
      texts.forEach(text -> json.writeString(cut(text)));
      json.writeEndArray();
      json.writeEndObject();
    }
    return bytes.toByteArray();
  }

  private static String cut(String text) {
    int characters = Math.min(text.length(), MAX_CHARACTERS);
    boolean inPair =
        characters < text.length() && Character.isHighSurrogate(text.charAt(characters - 1));
    return text.substring(0, inPair ? characters - 1 : characters);
  }

  /** The vectors of an answer, in the order of their texts, padded. */
  static List<float[]> vectors(byte[] answer, int texts, int dimensions) {
    float[] @Nullable [] byIndex = new float[texts][];
    try (JsonParser json = JSON.createParser(ObjectReadContext.empty(), answer)) {
      require(json.nextToken() == JsonToken.START_OBJECT, "is no object");
      while (json.nextToken() == JsonToken.PROPERTY_NAME) {
        boolean data = json.currentName().equals("data");
        if (json.nextToken() == JsonToken.START_ARRAY && data) {
          readData(json, byIndex, dimensions);
        } else {
          json.skipChildren();
        }
      }
    } catch (JacksonException e) {
      throw EmbedderException.failed("the endpoint's answer is no JSON that can be read", null);
    }
    List<float[]> vectors = new ArrayList<>();
    for (float[] vector : byIndex) {
      require(vector != null, "has too few vectors");
      vectors.add(vector);
    }
    return vectors;
  }

  private static void readData(JsonParser json, float[] @Nullable [] byIndex, int dimensions) {
    int place = 0;
    while (json.nextToken() == JsonToken.START_OBJECT) {
      int index = place++;
      float[] vector = null;
      while (json.nextToken() == JsonToken.PROPERTY_NAME) {
        String name = json.currentName();
        JsonToken value = json.nextToken();
        if (name.equals("index") && value == JsonToken.VALUE_NUMBER_INT) {
          index = json.getIntValue();
        } else if (name.equals("embedding")) {
          vector = readVector(json, dimensions);
        } else {
          json.skipChildren();
        }
      }
      require(index >= 0 && index < byIndex.length, "has a vector of no text");
      require(vector != null, "has no vector where one should be");
      require(byIndex[index] == null, "has two vectors of a text");
      byIndex[index] = vector;
    }
  }

  private static float[] readVector(JsonParser json, int dimensions) {
    require(json.currentToken() == JsonToken.START_ARRAY, "has a vector that is no array");
    float[] vector = new float[Embedder.DIMENSIONS];
    int count = 0;
    boolean zero = true;
    while (json.nextToken() != JsonToken.END_ARRAY) {
      require(count < dimensions, "has a vector of more than " + dimensions + " numbers");
      require(
          json.currentToken() != null && json.currentToken().isNumeric(),
          "has a vector with something that is no number");
      vector[count] = json.getFloatValue();
      require(Float.isFinite(vector[count]), "has a vector with a number beyond all bounds");
      zero &= vector[count] == 0;
      count++;
    }
    require(count == dimensions, "has a vector of " + count + " numbers, not " + dimensions);
    if (zero) {
      throw EmbedderException.refused("the endpoint made a vector of zeros");
    }
    return Arrays.copyOf(vector, Embedder.DIMENSIONS);
  }

  private static void require(boolean holds, String fault) {
    if (!holds) {
      throw EmbedderException.failed("the endpoint's answer " + fault, null);
    }
  }
}
