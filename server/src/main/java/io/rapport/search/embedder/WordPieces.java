package io.rapport.search.embedder;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Cuts texts into the pieces of words that a BERT model without case knows: Unicode is decomposed,
 * accents and case are dropped, punctuation and Chinese characters stand by themselves, and a word
 * is the longest pieces of the vocabulary, from its beginning on (Devlin et al. 2018, Wu et al.
 * 2016).
 */
final class WordPieces {
  private static final int LONGEST_WORD = 100;
  private static final String CONTINUED = "##";

  private final Map<String, Integer> vocabulary;
  private final int unknown;

  private WordPieces(Map<String, Integer> vocabulary) {
    this.vocabulary = vocabulary;
    this.unknown = id("[UNK]");
  }

  /** Reads the vocabulary of a {@code tokenizer.json} of the Hugging Face format. */
  static WordPieces read(InputStream json) {
    Map<String, Integer> vocabulary = new HashMap<>();
    try (json;
        JsonParser parser =
            JsonFactory.builder().build().createParser(ObjectReadContext.empty(), json)) {
      while (!isNamed(parser.nextToken(), parser, "vocab")) {
        if (parser.currentToken() == null) {
          throw new IllegalStateException("the tokenizer has no vocabulary");
        }
      }
      parser.nextToken();
      while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
        String piece = parser.currentName();
        parser.nextToken();
        vocabulary.put(piece, parser.getIntValue());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new WordPieces(vocabulary);
  }

  private static boolean isNamed(JsonToken token, JsonParser parser, String name) {
    return token == JsonToken.PROPERTY_NAME && parser.currentName().equals(name);
  }

  /** The number of a piece that is there. */
  int id(String piece) {
    return Objects.requireNonNull(vocabulary.get(piece), piece);
  }

  /** The numbers of a text's pieces, the first ones up to a limit. */
  int[] of(String text, int limit) {
    List<Integer> ids = new ArrayList<>();
    for (String word : words(text)) {
      if (ids.size() >= limit) {
        break;
      }
      ids.addAll(pieces(word));
    }
    return ids.stream().limit(limit).mapToInt(Integer::intValue).toArray();
  }

  private List<Integer> pieces(String word) {
    if (word.codePointCount(0, word.length()) > LONGEST_WORD) {
      return List.of(unknown);
    }
    List<Integer> ids = new ArrayList<>();
    int start = 0;
    while (start < word.length()) {
      int end = word.length();
      Integer id = null;
      while (end > start) {
        String piece = word.substring(start, end);
        id = vocabulary.get(start == 0 ? piece : CONTINUED + piece);
        if (id != null) {
          break;
        }
        end = word.offsetByCodePoints(end, -1);
      }
      if (id == null) {
        return List.of(unknown);
      }
      ids.add(id);
      start = end;
    }
    return ids;
  }

  private static List<String> words(String text) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    String decomposed = Normalizer.normalize(cleaned(text), Normalizer.Form.NFD);
    decomposed
        .codePoints()
        .filter(c -> Character.getType(c) != Character.NON_SPACING_MARK)
        .map(Character::toLowerCase)
        .forEach(c -> {
          boolean alone = isPunctuation(c) || isIdeograph(c);
          if (alone || isSpace(c)) {
            end(word, words);
          }
          if (alone) {
            words.add(Character.toString(c));
          } else if (!isSpace(c)) {
            word.appendCodePoint(c);
          }
        });
    end(word, words);
    return words;
  }

  private static void end(StringBuilder word, List<String> words) {
    if (!word.isEmpty()) {
      words.add(word.toString());
      word.setLength(0);
    }
  }

  private static String cleaned(String text) {
    return text.codePoints()
        .filter(c -> c != 0 && c != 0xFFFD && !isControl(c))
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  private static boolean isControl(int c) {
    return !isSpace(c)
        && switch (Character.getType(c)) {
          case Character.CONTROL,
              Character.FORMAT,
              Character.PRIVATE_USE,
              Character.SURROGATE,
              Character.UNASSIGNED ->
              true;
          default -> false;
        };
  }

  private static boolean isSpace(int c) {
    return c == '\t' || c == '\n' || c == '\r' || Character.isSpaceChar(c);
  }

  private static boolean isPunctuation(int c) {
    boolean ascii = isIn(c, 33, 47) || isIn(c, 58, 64) || isIn(c, 91, 96) || isIn(c, 123, 126);
    return ascii
        || switch (Character.getType(c)) {
          case Character.CONNECTOR_PUNCTUATION,
              Character.DASH_PUNCTUATION,
              Character.START_PUNCTUATION,
              Character.END_PUNCTUATION,
              Character.INITIAL_QUOTE_PUNCTUATION,
              Character.FINAL_QUOTE_PUNCTUATION,
              Character.OTHER_PUNCTUATION ->
              true;
          default -> false;
        };
  }

  /** The blocks that BERT takes for Chinese, which leave out kana and hangul. */
  private static boolean isIdeograph(int c) {
    return isIn(c, 0x4E00, 0x9FFF)
        || isIn(c, 0x3400, 0x4DBF)
        || isIn(c, 0x20000, 0x2A6DF)
        || isIn(c, 0x2A700, 0x2B81F)
        || isIn(c, 0x2B920, 0x2CEAF)
        || isIn(c, 0xF900, 0xFAFF)
        || isIn(c, 0x2F800, 0x2FA1F);
  }

  private static boolean isIn(int c, int first, int last) {
    return c >= first && c <= last;
  }
}
