#ifndef MAILWORKER_LOG_FILE_H
#define MAILWORKER_LOG_FILE_H

#include <sqlite3.h>

// What a write-ahead log needs beside the real file system's data, which follow it.
extern const int mw_log_file_bytes;

// Opens a write-ahead log in the real file system.
int mw_log_open(sqlite3_vfs *real_vfs, const char *name, sqlite3_file *file, int flags, int *out_flags);

#endif
