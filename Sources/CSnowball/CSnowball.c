#include "CSnowball.h"

#include <libstemmer.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/// Longer ones are no words: digests, encoded bytes, addresses of pages.
enum { longest_word = 64 };

typedef struct {
    fts5_tokenizer inner_methods;
    Fts5Tokenizer *inner;
    struct sb_stemmer *russian;
    struct sb_stemmer *english;
} Words;

/// One run over a text.
typedef struct {
    Words *words;
    void *context;
    int (*token)(void *, int, const char *, int, int, int);
} Run;

static fts5_api *api_of(sqlite3 *database) {
    fts5_api *api = NULL;
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database, "SELECT fts5(?1)", -1, &statement, NULL) == SQLITE_OK) {
        sqlite3_bind_pointer(statement, 1, &api, "fts5_api_ptr", NULL);
        sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return api;
}

static void delete_words(Fts5Tokenizer *tokenizer) {
    Words *words = (Words *)tokenizer;
    if (words == NULL) return;
    if (words->inner != NULL) words->inner_methods.xDelete(words->inner);
    if (words->russian != NULL) sb_stemmer_delete(words->russian);
    if (words->english != NULL) sb_stemmer_delete(words->english);
    free(words);
}

static int create_words(void *api_pointer, const char **arguments, int count, Fts5Tokenizer **result) {
    (void)arguments;
    (void)count;
    fts5_api *api = api_pointer;
    Words *words = calloc(1, sizeof *words);
    if (words == NULL) return SQLITE_NOMEM;
    void *inner_data = NULL;
    int code = api->xFindTokenizer(api, "unicode61", &inner_data, &words->inner_methods);
    const char *options[] = {"remove_diacritics", "2"};
    if (code == SQLITE_OK) code = words->inner_methods.xCreate(inner_data, options, 2, &words->inner);
    if (code == SQLITE_OK) {
        words->russian = sb_stemmer_new("russian", "UTF_8");
        words->english = sb_stemmer_new("english", "UTF_8");
        if (words->russian == NULL || words->english == NULL) code = SQLITE_NOMEM;
    }
    if (code != SQLITE_OK) {
        delete_words((Fts5Tokenizer *)words);
        return code;
    }
    *result = (Fts5Tokenizer *)words;
    return SQLITE_OK;
}

static int stem(void *run_pointer, int flags, const char *text, int length, int start, int end) {
    Run *run = run_pointer;
    unsigned char word[longest_word];
    if (length <= 0 || length > longest_word) return run->token(run->context, flags, text, length, start, end);
    const unsigned char *bytes = (const unsigned char *)text;
    struct sb_stemmer *stemmer = NULL;
    // The first letter tells the script; U+0400 to U+047F is the Cyrillic that Russian uses.
    if (bytes[0] == 0xD0 || bytes[0] == 0xD1) {
        stemmer = run->words->russian;
    } else if (bytes[0] >= 'a' && bytes[0] <= 'z') {
        stemmer = run->words->english;
    }
    if (stemmer == NULL) return run->token(run->context, flags, text, length, start, end);
    memcpy(word, bytes, (size_t)length);
    if (stemmer == run->words->russian) {
        for (int i = 0; i + 1 < length; i++) {
            if (word[i] == 0xD1 && word[i + 1] == 0x91) {
                word[i] = 0xD0;
                word[i + 1] = 0xB5;
            }
        }
    }
    const sb_symbol *stemmed = sb_stemmer_stem(stemmer, word, length);
    if (stemmed == NULL) return SQLITE_NOMEM;
    return run->token(
        run->context, flags, (const char *)stemmed, sb_stemmer_length(stemmer), start, end);
}

static int tokenize_words(
    Fts5Tokenizer *tokenizer, void *context, int flags, const char *text, int length,
    int (*token)(void *, int, const char *, int, int, int)) {
    Words *words = (Words *)tokenizer;
    Run run = {words, context, token};
    return words->inner_methods.xTokenize(words->inner, &run, flags, text, length, stem);
}

int mw_words_register(sqlite3 *database) {
    fts5_api *api = api_of(database);
    if (api == NULL) return SQLITE_ERROR;
    fts5_tokenizer methods = {create_words, delete_words, tokenize_words};
    return api->xCreateTokenizer(api, "words", api, &methods, NULL);
}
