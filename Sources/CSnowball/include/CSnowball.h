#ifndef MAILWORKER_CSNOWBALL_H
#define MAILWORKER_CSNOWBALL_H

struct sqlite3;

/// Gives a connection the full-text tokenizer `words`: SQLite's unicode61, whose words are then
/// brought to their stems by Snowball, Russian ones (in Cyrillic letters) and English ones (in
/// Latin letters) each by their own rules, with ё read as е. Everything else stays as it is.
/// Returns an SQLite result code.
int mw_words_register(struct sqlite3 *database);

#endif
