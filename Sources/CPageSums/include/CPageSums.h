#ifndef MAILWORKER_CPAGESUMS_H
#define MAILWORKER_CPAGESUMS_H

#include <stddef.h>
#include <stdint.h>

struct sqlite3;

/// Bytes at the end of each database page that hold its checksum.
enum { mw_page_sum_bytes = 8 };

/// What follows a database's path in that of the note on its damaged pages.
#define mw_page_damage_suffix "-damaged"

/// What follows a database's path in that of the copy of its schema's pages: eight bytes of magic, then the size of a
/// page, then for each page its number and its bytes with their checksum. Numbers have four bytes, the least
/// significant first.
#define mw_schema_copy_suffix "-schema"
#define mw_schema_copy_magic "MWSCHEM1"
enum { mw_schema_copy_header_bytes = 12 };

/// Makes SQLite's default file system one that writes a checksum into the last bytes of
/// every page of a database that reserves them, and that notes each page which is read and is not as it
/// was written: its number, a line each, may stand there several times. Such a page is read from the copy of the schema's
/// pages when that has just what was written there; page 1 also when only one bit of its state is another. Safe to call again and from any thread.
/// Returns an SQLite result code.
int mw_page_sums_install(void);

/// Has a database reserve the bytes: at once when it is still empty, else by its next VACUUM.
/// Returns an SQLite result code.
int mw_page_sums_reserve(struct sqlite3 *database);

/// From now on what this connection writes into its write-ahead log is written in large pieces, at the latest when it is
/// synced. Only for one with synchronous = FULL: others may read the log before it is synced. Returns an SQLite result
/// code; SQLITE_CANTOPEN without a log, which there is after the first read.
int mw_gather_log_writes(struct sqlite3 *database);

/// Reads from the file of an open database what stands there, damaged or not, through SQLite's own descriptor: when a
/// process closes any other one of that file, the system takes away all locks that the process has on it (POSIX), and the
/// next process to close the database takes itself for the last one and deletes the log. Returns an SQLite result code.
int mw_file_read(struct sqlite3 *database, void *bytes, size_t count, int64_t offset);

/// How long the file of an open database is. Returns an SQLite result code.
int mw_file_size(struct sqlite3 *database, int64_t *bytes);

/// From now on this connection reads a page that the disk cannot read as one of zeros, so that one bad sector does not
/// keep all else from being copied, and remembers which those were. A page of zeros in the file is remembered too. For
/// reading only: nobody may take what comes of it for what was stored. Returns an SQLite result code.
int mw_salvage(struct sqlite3 *database);

/// The pages that were remembered so far, as many as there is room for; a page may stand there several times. Returns
/// how many there are.
size_t mw_salvaged(struct sqlite3 *database, uint32_t *numbers, size_t room);

/// The checksum of a page with this number. It is linear in the page's 32-bit words, the least significant byte first: what
/// a changed word changes in it depends on its place alone. All zeros become a one.
void mw_page_sum(const uint8_t *page, size_t size, uint32_t number, uint8_t sum[mw_page_sum_bytes]);

/// Whether a page has the checksum that was written with it. One of zeros has none.
int mw_page_is_intact(const uint8_t *page, size_t size, uint32_t number);

/// Whether a page is nothing but zeros, its checksum included: one that was never written, or was lost.
int mw_page_is_blank(const uint8_t *page, size_t size);

#endif
