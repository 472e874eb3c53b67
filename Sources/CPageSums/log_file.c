#include "log_file.h"

#include <stdlib.h>
#include <string.h>

// SQLite writes a log in pieces of 24 and 4096 bytes, one behind the other. A transaction at random places of an index has
// thousands, and for each the system looks up a page of its cache, which a piece never fills. Here they are gathered.
//
// Nobody reads what is not synced: with synchronous = FULL the log is synced before the index of the log, which all
// connections read it by, names what is new. A connection that reads its own pages before that has them flushed first. What is
// left when it gives up the right to write belongs to a transaction that was taken back, and is dropped before anybody else may
// write in its place.

// SQLite's own file system writes at most 0x1ffff bytes at once.
enum { room = 124 * 1024 };

typedef struct {
    sqlite3_file base;
    // NULL while writes are passed on as they come.
    char *gathered;
    int used;
    sqlite3_int64 at;
    // Where somebody knows of this file; NULL when nobody does.
    sqlite3_file **place;
    // The file of the real file system lies behind this struct.
} log_file;

const int mw_log_file_bytes = sizeof(log_file);

static sqlite3_file *real(sqlite3_file *file) { return (sqlite3_file *)((log_file *)file + 1); }

// What cannot be written stays until SQLite has taken it back, so that nothing behind it is committed without it.
static int flush(sqlite3_file *file) {
    log_file *log = (log_file *)file;
    if (log->used == 0) return SQLITE_OK;
    int code = real(file)->pMethods->xWrite(real(file), log->gathered, log->used, log->at);
    if (code == SQLITE_OK) log->used = 0;
    return code;
}

static int log_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    log_file *log = (log_file *)file;
    if (log->gathered == NULL) return real(file)->pMethods->xWrite(real(file), bytes, count, offset);
    if (log->used > 0 && (log->at + log->used != offset || log->used + count > room)) {
        int code = flush(file);
        if (code != SQLITE_OK) return code;
    }
    if (count > room) return real(file)->pMethods->xWrite(real(file), bytes, count, offset);
    if (log->used == 0) log->at = offset;
    memcpy(log->gathered + log->used, bytes, (size_t)count);
    log->used += count;
    return SQLITE_OK;
}

static int log_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    int code = flush(file);
    return code != SQLITE_OK ? code : real(file)->pMethods->xRead(real(file), bytes, count, offset);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size) {
    int code = flush(file);
    return code != SQLITE_OK ? code : real(file)->pMethods->xTruncate(real(file), size);
}

static int log_sync(sqlite3_file *file, int flags) {
    int code = flush(file);
    return code != SQLITE_OK ? code : real(file)->pMethods->xSync(real(file), flags);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *size) {
    int code = flush(file);
    return code != SQLITE_OK ? code : real(file)->pMethods->xFileSize(real(file), size);
}

// What was not synced by then belongs to no transaction.
static int log_close(sqlite3_file *file) {
    free(((log_file *)file)->gathered);
    ((log_file *)file)->gathered = NULL;
    if (((log_file *)file)->place != NULL) *((log_file *)file)->place = NULL;
    return real(file)->pMethods->xClose(real(file));
}

static int log_lock(sqlite3_file *f, int level) { return real(f)->pMethods->xLock(real(f), level); }
static int log_unlock(sqlite3_file *f, int level) { return real(f)->pMethods->xUnlock(real(f), level); }
static int log_reserved(sqlite3_file *f, int *out) { return real(f)->pMethods->xCheckReservedLock(real(f), out); }
static int log_control(sqlite3_file *f, int operation, void *argument) {
    return real(f)->pMethods->xFileControl(real(f), operation, argument);
}
static int log_sector(sqlite3_file *f) { return real(f)->pMethods->xSectorSize(real(f)); }
static int log_traits(sqlite3_file *f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }

static const sqlite3_io_methods log_methods = {
    .iVersion = 1,
    .xClose = log_close,
    .xRead = log_read,
    .xWrite = log_write,
    .xTruncate = log_truncate,
    .xSync = log_sync,
    .xFileSize = log_size,
    .xLock = log_lock,
    .xUnlock = log_unlock,
    .xCheckReservedLock = log_reserved,
    .xFileControl = log_control,
    .xSectorSize = log_sector,
    .xDeviceCharacteristics = log_traits,
};

int mw_log_open(sqlite3_vfs *real_vfs, const char *name, sqlite3_file *file, int flags, int *out_flags) {
    memset(file, 0, sizeof(log_file));
    int code = real_vfs->xOpen(real_vfs, name, real(file), flags, out_flags);
    if (real(file)->pMethods != NULL) file->pMethods = &log_methods;
    return code;
}

int mw_log_gather(sqlite3_file *file, sqlite3_file **place) {
    if (file == NULL || file->pMethods != &log_methods) return SQLITE_CANTOPEN;
    log_file *log = (log_file *)file;
    if (log->gathered == NULL) log->gathered = malloc(room);
    if (log->gathered == NULL) return SQLITE_NOMEM;
    log->place = place;
    *place = file;
    return SQLITE_OK;
}

void mw_log_forget(sqlite3_file *file) { ((log_file *)file)->used = 0; }
