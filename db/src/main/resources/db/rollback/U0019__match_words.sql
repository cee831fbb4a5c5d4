DROP FUNCTION search.match_words(text, tsquery, integer);
DROP INDEX search.ix_documents_words;
