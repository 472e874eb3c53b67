#ifndef MAILWORKER_LOG_FILE_H
#define MAILWORKER_LOG_FILE_H

#include <sqlite3.h>

// What a write-ahead log needs beside the real file system's data, which follow it.
extern const int mw_log_file_bytes;

// Opens a write-ahead log in the real file system.
int mw_log_open(sqlite3_vfs *real_vfs, const char *name, sqlite3_file *file, int flags, int *out_flags);

// Has a log gather what is written. `place` has the log from now on, and NULL once that is closed.
int mw_log_gather(sqlite3_file *file, sqlite3_file **place);

// Drops what was gathered and not synced: whoever may not write any more has taken it back.
void mw_log_forget(sqlite3_file *file);

#endif
