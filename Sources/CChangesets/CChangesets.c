#define SQLITE_ENABLE_SESSION 1
#define SQLITE_ENABLE_PREUPDATE_HOOK 1

#include "CChangesets.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

struct mw_recording {
    sqlite3_session *session;
    mw_table_choice choice;
};

static int is_recorded(void *context, const char *table) {
    return ((mw_recording *)context)->choice(table);
}

int mw_recording_begin(sqlite3 *database, mw_table_choice choice, mw_recording **out) {
    *out = NULL;
    mw_recording *recording = calloc(1, sizeof *recording);
    if (recording == NULL) return SQLITE_NOMEM;
    recording->choice = choice;
    int code = sqlite3session_create(database, "main", &recording->session);
    if (code == SQLITE_OK) {
        sqlite3session_table_filter(recording->session, is_recorded, recording);
        code = sqlite3session_attach(recording->session, NULL);
    }
    if (code != SQLITE_OK) {
        mw_recording_abandon(recording);
        return code;
    }
    *out = recording;
    return SQLITE_OK;
}

void mw_recording_pause(mw_recording *recording, int paused) {
    sqlite3session_enable(recording->session, !paused);
}

int mw_recording_end(mw_recording *recording, uint8_t **bytes, int *count) {
    void *changes = NULL;
    int code = sqlite3session_changeset(recording->session, count, &changes);
    mw_recording_abandon(recording);
    *bytes = code == SQLITE_OK ? changes : NULL;
    if (*bytes == NULL) *count = 0;
    return code;
}

void mw_recording_abandon(mw_recording *recording) {
    if (recording->session != NULL) sqlite3session_delete(recording->session);
    free(recording);
}

void mw_changeset_free(uint8_t *bytes) { sqlite3_free(bytes); }

int mw_changeset_invert(const uint8_t *bytes, int count, uint8_t **out, int *out_count) {
    void *inverse = NULL;
    int code = sqlite3changeset_invert(count, bytes, out_count, &inverse);
    *out = inverse;
    return code;
}

// Hands the change at which an iterator stands to a reader.
static int tell(sqlite3_changeset_iter *iterator, void *context, mw_change_reader reader) {
    const char *table;
    int columns, operation, indirect;
    unsigned char *is_key;
    int code = sqlite3changeset_op(iterator, &table, &columns, &operation, &indirect);
    if (code == SQLITE_OK) code = sqlite3changeset_pk(iterator, &is_key, NULL);
    if (code != SQLITE_OK) return code;
    sqlite3_value **values = calloc((size_t)columns * 2, sizeof *values);
    if (values == NULL) return SQLITE_NOMEM;
    for (int i = 0; code == SQLITE_OK && i < columns; i++) {
        if (operation != SQLITE_INSERT) code = sqlite3changeset_old(iterator, i, &values[i]);
        if (code == SQLITE_OK && operation != SQLITE_DELETE)
            code = sqlite3changeset_new(iterator, i, &values[columns + i]);
    }
    if (code == SQLITE_OK)
        reader(context, table, operation, columns, is_key, values, values + columns);
    free(values);
    return code;
}

int mw_changeset_read(const uint8_t *bytes, int count, void *context, mw_change_reader reader) {
    sqlite3_changeset_iter *iterator;
    int code = sqlite3changeset_start(&iterator, count, (void *)bytes);
    if (code != SQLITE_OK) return code;
    while ((code = sqlite3changeset_next(iterator)) == SQLITE_ROW) {
        int told = tell(iterator, context, reader);
        if (told != SQLITE_OK) {
            sqlite3changeset_finalize(iterator);
            return told;
        }
    }
    int end = sqlite3changeset_finalize(iterator);
    return code == SQLITE_DONE ? end : code;
}

typedef struct {
    void *context;
    mw_change_reader reader;
} conflict_reader;

static int settle(void *context, int kind, sqlite3_changeset_iter *iterator) {
    conflict_reader *conflict = context;
    // A row that a reference has taken along already, or changed: the caller compares what has really
    // happened with what was to happen, and nothing that differs stands.
    if (kind == SQLITE_CHANGESET_NOTFOUND) return SQLITE_CHANGESET_OMIT;
    if (kind == SQLITE_CHANGESET_DATA) return SQLITE_CHANGESET_REPLACE;
    // A broken foreign key belongs to no single change.
    if (kind == SQLITE_CHANGESET_FOREIGN_KEY)
        conflict->reader(conflict->context, NULL, 0, 0, NULL, NULL, NULL);
    else
        tell(iterator, conflict->context, conflict->reader);
    return SQLITE_CHANGESET_ABORT;
}

int mw_changeset_apply(
    sqlite3 *database, const uint8_t *bytes, int count, void *context, mw_change_reader reader) {
    conflict_reader conflict = {context, reader};
    // Without a savepoint of its own, whose journal in memory is walked from its beginning for each row: the caller takes
    // the whole transaction back where this fails.
    return sqlite3changeset_apply_v2(
        database, count, (void *)bytes, NULL, settle, &conflict, NULL, NULL, SQLITE_CHANGESETAPPLY_NOSAVEPOINT);
}
