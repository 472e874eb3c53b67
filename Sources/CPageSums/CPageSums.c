#include "CPageSums.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log_file.h"

// SQLite leaves the last bytes of each page to whoever asks for them (file format, 1.3.4:
// "reserved region"). All writes of a main database come as whole pages, from the pager or from
// a checkpoint; the sum is put in on their way to the disk. A page that is read and is not as it was
// written is noted beside the database and handed on: damage must not keep what is beside it from being
// read, and a page that is written anew, with a sum of its own, must not make the damage forgotten.
//
// Pages are read from the file only while no log has a newer state of them, so that a checkpoint that
// was cut off in the midst of a page is not taken for damage: that page is read from the log. Nor is a page of zeros
// ever read that nothing was written to: only free pages can be such, and only copying a whole database reads those.

typedef struct {
    sqlite3_file base;
    // Whether the database is known to reserve the bytes.
    int is_summed;
    // The path, which lives as long as the file is open; and the page that was noted last.
    const char *name;
    uint32_t noted;
    // Whether pages that cannot be read are handed on as zeros; and which were, or were zeros in the file.
    int salvages;
    uint32_t *lost;
    size_t lost_count, lost_room;
    // This connection's log while it gathers what is written.
    sqlite3_file *log;
    // The file of the real file system lies behind this struct.
} summed_file;

static sqlite3_vfs *real_vfs;
static sqlite3_vfs summing_vfs;
static sqlite3_io_methods summing_methods;

static sqlite3_file *real(sqlite3_file *file) { return (sqlite3_file *)((summed_file *)file + 1); }

// Two 32-bit sums over the page and its number, each step depending on both: a flipped bit, a
// swapped word and a page in another's place all change them. Which bit has flipped they do not always tell: of one of the
// highest bits of a word there may be hundreds of places.
void mw_page_sum(const uint8_t *page, size_t size, uint32_t number, uint8_t out[mw_page_sum_bytes]) {
    uint32_t a = 0x6d77u + number, b = 0x7073u;
    for (size_t i = 0; i + 8 <= size - mw_page_sum_bytes; i += 8) {
        uint32_t words[2];
        memcpy(words, page + i, 8);
        a += words[0] + b;
        b += words[1] + a;
    }
    // The bit pattern of zeros is kept for pages that were never written.
    if (a == 0 && b == 0) a = 1;
    memcpy(out, &a, 4);
    memcpy(out + 4, &b, 4);
}

int mw_page_is_intact(const uint8_t *page, size_t size, uint32_t number) {
    uint8_t expected[mw_page_sum_bytes];
    mw_page_sum(page, size, number, expected);
    return memcmp(expected, page + size - mw_page_sum_bytes, mw_page_sum_bytes) == 0;
}

int mw_page_is_blank(const uint8_t *page, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (page[i] != 0) return 0;
    return 1;
}

// Page 1 says at offset 20 how many bytes each page reserves.
static int reserves(const uint8_t *page1) {
    return memcmp(page1, "SQLite format 3", 16) == 0 && page1[20] >= mw_page_sum_bytes;
}

static int is_page(int count, sqlite3_int64 offset) {
    return count >= 512 && (count & (count - 1)) == 0 && offset % count == 0;
}

// Appends the number of a damaged page to DATABASE-damaged. What cannot be noted is still found by comparing
// the file's pages, until the page is written anew.
static void note_damage(summed_file *summed, uint32_t number) {
    // A page in the hand of a busy reader comes again and again.
    if (summed->noted == number || summed->name == NULL) return;
    summed->noted = number;
    char path[4096], line[16];
    if (snprintf(path, sizeof path, "%s" mw_page_damage_suffix, summed->name) >= (int)sizeof path) return;
    struct stat about;
    int note = open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    // What root makes is the database's owner's; a link that was there is not followed.
    if (note >= 0 && geteuid() == 0 && lstat(summed->name, &about) == 0 && fchown(note, about.st_uid, about.st_gid) != 0)
        errno = 0;
    if (note < 0) note = open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (note < 0) return;
    int length = snprintf(line, sizeof line, "%u\n", number);
    if (fstat(note, &about) == 0 && S_ISREG(about.st_mode) && about.st_size < 1 << 20 && write(note, line, (size_t)length) == length)
        fsync(note);
    close(note);
}

static uint32_t number_at(const uint8_t *bytes) {
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

// Nothing can be read without the schema, which few pages hold: of those there is a copy beside the database. It may
// be older than the page; then it has another sum. Only what has the sum that was written into the page, or is the same
// but for the sum, is what was written there.
//
// The copy of a page; NULL without one. The caller frees it.
static uint8_t *copy_of_page(const char *name, uint32_t number, size_t *size) {
    char path[4096];
    uint8_t head[mw_schema_copy_header_bytes], *page = NULL;
    if (name == NULL || snprintf(path, sizeof path, "%s" mw_schema_copy_suffix, name) >= (int)sizeof path) return NULL;
    // A pipe in its place would be waited for.
    int copy = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (copy < 0) return NULL;
    struct stat about;
    if (fstat(copy, &about) == 0 && S_ISREG(about.st_mode) && read(copy, head, sizeof head) == (ssize_t)sizeof head && memcmp(head, mw_schema_copy_magic, 8) == 0) {
        *size = number_at(head + 8);
        uint8_t at[4];
        if (*size >= 512 && *size <= 65536 && (*size & (*size - 1)) == 0) page = malloc(*size);
        int is_found = 0;
        while (page != NULL && !is_found && read(copy, at, 4) == 4 && read(copy, page, *size) == (ssize_t)*size)
            is_found = number_at(at) == number && mw_page_is_intact(page, *size, number);
        if (!is_found) {
            free(page);
            page = NULL;
        }
    }
    close(copy);
    return page;
}

// Page 1 holds the schema's root, and in its header what changes with the database's state: its copy is older in these
// bytes, and only in them. Counter of changes, number of pages, first free page, number of free pages and number of the
// schema; the counter again, and the version of SQLite that wrote them (file format, 1.3).
static const struct { size_t from, to; } state_bytes[] = {{24, 44}, {92, 100}};

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static sqlite3_int64 pages_of(sqlite3_file *file, size_t page_size) {
    sqlite3_int64 bytes = 0;
    if (real(file)->pMethods->xFileSize(real(file), &bytes) != SQLITE_OK) return 0;
    return bytes / (sqlite3_int64)page_size;
}

// Whether the first page of the free list tells of as many pages as page 1 does (file format, 1.5).
static int is_free_list(sqlite3_file *file, size_t size, uint32_t first, uint32_t free_pages, sqlite3_int64 pages) {
    uint8_t head[8];
    if (first == 0) return free_pages == 0;
    if (real(file)->pMethods->xRead(real(file), head, sizeof head, (sqlite3_int64)(first - 1) * (sqlite3_int64)size)
        != SQLITE_OK)
        return 0;
    uint32_t next = big_endian(head), leaves = big_endian(head + 4);
    return next <= pages && leaves < size / 4 && (next == 0 ? free_pages == leaves + 1 : free_pages > leaves + 1);
}

// What SQLite writes into them fits together.
static int is_plausible(sqlite3_file *file, const uint8_t *page, size_t size, sqlite3_int64 pages) {
    uint32_t count = big_endian(page + 28), first_free = big_endian(page + 32), free_pages = big_endian(page + 36);
    return big_endian(page + 24) == big_endian(page + 92) && count == pages && first_free <= count && free_pages < count
        && is_free_list(file, size, first_free, free_pages, pages) && big_endian(page + 96) / 1000000 == 3;
}

static int bits_between(const uint8_t *one, const uint8_t *other, size_t size) {
    int count = 0;
    for (size_t i = 0; i < size; i++) count += __builtin_popcount((unsigned)(one[i] ^ other[i]));
    return count;
}

// Makes page 1 of its copy and of its own state, when that has the sum that was written into it; or when it does with one
// bit of the state, or of the sum, the other way round. Of several such bits it is the one that fits with the rest; where
// that does not tell either, the page stays damaged.
static void mend_first_page(sqlite3_file *file, uint8_t *page, const uint8_t *kept, size_t size) {
    const sqlite3_int64 pages = pages_of(file, size);
    const size_t content = size - mw_page_sum_bytes;
    uint8_t written[mw_page_sum_bytes], found[mw_page_sum_bytes];
    uint8_t *candidate = malloc(size);
    if (candidate == NULL) return;
    memcpy(candidate, kept, size);
    memcpy(written, page + content, sizeof written);
    for (size_t part = 0; part < 2; part++)
        memcpy(candidate + state_bytes[part].from, page + state_bytes[part].from,
               state_bytes[part].to - state_bytes[part].from);
    mw_page_sum(candidate, size, 1, found);
    int fitting = 0;
    size_t at = 0;
    uint8_t bit = 0;
    if (memcmp(found, written, sizeof written) == 0) {
        fitting = 1;
    } else {
        if (bits_between(found, written, sizeof written) == 1 && memcmp(candidate, page, content) == 0)
            fitting = is_plausible(file, candidate, size, pages);
        for (size_t part = 0; part < 2; part++)
            for (size_t i = state_bytes[part].from; i < state_bytes[part].to; i++)
                for (unsigned flip = 1; flip < 256; flip <<= 1) {
                    candidate[i] ^= (uint8_t)flip;
                    mw_page_sum(candidate, size, 1, found);
                    if (memcmp(found, written, sizeof written) == 0 && is_plausible(file, candidate, size, pages)) {
                        fitting += 1;
                        at = i;
                        bit = (uint8_t)flip;
                    }
                    candidate[i] ^= (uint8_t)flip;
                }
    }
    if (fitting == 1) {
        candidate[at] ^= bit;
        mw_page_sum(candidate, size, 1, candidate + content);
        memcpy(page, candidate, size);
    }
    free(candidate);
}

static void read_from_copy(sqlite3_file *file, uint8_t *page, size_t size, uint32_t number) {
    size_t kept_size = 0;
    uint8_t *kept = copy_of_page(((summed_file *)file)->name, number, &kept_size);
    const size_t content = size - mw_page_sum_bytes;
    if (kept != NULL && kept_size == size) {
        if (number == 1)
            mend_first_page(file, page, kept, size);
        else if (memcmp(kept + content, page + content, mw_page_sum_bytes) == 0 || memcmp(kept, page, content) == 0)
            memcpy(page, kept, size);
    }
    free(kept);
}

// The header says how large pages are and whether they have sums, so that it is needed before page 1 is read as a page.
static void mend_head(sqlite3_file *file, uint8_t *bytes, size_t count, size_t offset) {
    size_t size = 0;
    uint8_t *kept = copy_of_page(((summed_file *)file)->name, 1, &size);
    uint8_t *page = kept == NULL ? NULL : malloc(size);
    if (page != NULL && real(file)->pMethods->xRead(real(file), page, (int)size, 0) == SQLITE_OK
        && !mw_page_is_intact(page, size, 1)) {
        mend_first_page(file, page, kept, size);
        if (mw_page_is_intact(page, size, 1)) memcpy(bytes, page + offset, count);
    }
    free(page);
    free(kept);
}

enum { head_bytes = 100 };

// Whether pages have sums, as page 1 on the disk says. That they have none is asked each time: another process may give
// them some, and what is written here without one afterwards would be taken for damage by everybody.
static int is_summed(sqlite3_file *file) {
    summed_file *summed = (summed_file *)file;
    if (!summed->is_summed) {
        uint8_t head[head_bytes];
        int code = real(file)->pMethods->xRead(real(file), head, sizeof head, 0);
        if (code == SQLITE_OK) mend_head(file, head, sizeof head, 0);
        summed->is_summed = code == SQLITE_OK && reserves(head);
    }
    return summed->is_summed;
}

static int remember_lost(summed_file *summed, uint32_t number) {
    if (summed->lost_count == summed->lost_room) {
        size_t room = summed->lost_room == 0 ? 64 : 2 * summed->lost_room;
        uint32_t *lost = realloc(summed->lost, room * sizeof *lost);
        if (lost == NULL) return SQLITE_NOMEM;
        summed->lost = lost;
        summed->lost_room = room;
    }
    summed->lost[summed->lost_count++] = number;
    return SQLITE_OK;
}

enum { salvage_rereads = 2 };

// What the disk itself says; too little memory, or a file that ends too early, is not of a page.
static int is_of_the_disk(int code) { return code == SQLITE_IOERR_READ || code == SQLITE_IOERR_CORRUPTFS; }

static int summing_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    summed_file *summed = (summed_file *)file;
    uint32_t number = count > 0 ? (uint32_t)(offset / count) + 1 : 0;
    int code = real(file)->pMethods->xRead(real(file), bytes, count, offset);
    // A page is given up only when the disk cannot read it again either.
    for (int again = 0; again < salvage_rereads && summed->salvages && is_of_the_disk(code); ++again) {
        code = real(file)->pMethods->xRead(real(file), bytes, count, offset);
    }
    if (is_of_the_disk(code) && summed->salvages && is_page(count, offset)) {
        memset(bytes, 0, (size_t)count);
        return remember_lost(summed, number);
    }
    if (code != SQLITE_OK) return code;
    if (offset >= 0 && offset + count <= head_bytes) mend_head(file, bytes, (size_t)count, (size_t)offset);
    if (!is_page(count, offset) || !is_summed(file)) return code;
    if (mw_page_is_intact(bytes, (size_t)count, number)) return code;
    if (summed->salvages && mw_page_is_blank(bytes, (size_t)count)) {
        // Whether it is a free one is for the caller to see.
        code = remember_lost(summed, number);
    } else {
        note_damage(summed, number);
        read_from_copy(file, bytes, (size_t)count, number);
    }
    return code;
}

static int summing_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    int is_whole = is_page(count, offset);
    if (is_whole && offset == 0) ((summed_file *)file)->is_summed = reserves(bytes);
    if (is_whole && is_summed(file)) {
        // The buffer is the page cache's or a checkpoint's own, and the last bytes of a page that
        // reserves them are read by nobody else.
        uint8_t *page = (uint8_t *)bytes;
        mw_page_sum(page, (size_t)count, (uint32_t)(offset / count) + 1, page + count - mw_page_sum_bytes);
    }
    return real(file)->pMethods->xWrite(real(file), bytes, count, offset);
}

static int summing_close(sqlite3_file *file) {
    free(((summed_file *)file)->lost);
    ((summed_file *)file)->lost = NULL;
    return real(file)->pMethods->xClose(real(file));
}
static int summing_truncate(sqlite3_file *f, sqlite3_int64 n) {
    return real(f)->pMethods->xTruncate(real(f), n);
}
static int summing_sync(sqlite3_file *f, int flags) { return real(f)->pMethods->xSync(real(f), flags); }
static int summing_size(sqlite3_file *f, sqlite3_int64 *n) {
    return real(f)->pMethods->xFileSize(real(f), n);
}
static int summing_lock(sqlite3_file *f, int level) { return real(f)->pMethods->xLock(real(f), level); }
static int summing_unlock(sqlite3_file *f, int level) {
    return real(f)->pMethods->xUnlock(real(f), level);
}
static int summing_reserved(sqlite3_file *f, int *out) {
    return real(f)->pMethods->xCheckReservedLock(real(f), out);
}
static int summing_control(sqlite3_file *f, int operation, void *argument) {
    return real(f)->pMethods->xFileControl(real(f), operation, argument);
}
static int summing_sector(sqlite3_file *f) { return real(f)->pMethods->xSectorSize(real(f)); }
static int summing_traits(sqlite3_file *f) {
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}
static int summing_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out) {
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
}
// The lock of the only one who may write is the first (walformat, 2.3.1).
static int summing_shm_lock(sqlite3_file *f, int offset, int n, int flags) {
    sqlite3_file *log = ((summed_file *)f)->log;
    if (log != NULL && offset == 0 && (flags & SQLITE_SHM_UNLOCK) && (flags & SQLITE_SHM_EXCLUSIVE)) mw_log_forget(log);
    return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
}
static void summing_shm_barrier(sqlite3_file *f) { real(f)->pMethods->xShmBarrier(real(f)); }
static int summing_shm_unmap(sqlite3_file *f, int erase) {
    return real(f)->pMethods->xShmUnmap(real(f), erase);
}

static int summing_open(
    sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags) {
    (void)vfs;
    if (flags & SQLITE_OPEN_WAL) return mw_log_open(real_vfs, name, file, flags, out_flags);
    // Journals and temporary files are the real file system's alone.
    if (!(flags & SQLITE_OPEN_MAIN_DB)) return real_vfs->xOpen(real_vfs, name, file, flags, out_flags);
    memset(file, 0, sizeof(summed_file));
    int code = real_vfs->xOpen(real_vfs, name, real(file), flags, out_flags);
    if (real(file)->pMethods != NULL) {
        file->pMethods = &summing_methods;
        ((summed_file *)file)->name = name;
    }
    return code;
}

static int install_result = SQLITE_ERROR;

static void install(void) {
    // Without its account of memory SQLite takes no lock for each allocation; small ones come from a larger reserve of
    // each connection. Too late, and harmless, when something has used SQLite already.
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 1200, 400);
    install_result = sqlite3_initialize();
    if (install_result != SQLITE_OK) return;
    real_vfs = sqlite3_vfs_find(NULL);
    if (real_vfs == NULL) {
        install_result = SQLITE_ERROR;
        return;
    }
    // Version 2 has the shared memory of write-ahead logs; memory maps (version 3), which would
    // read behind our back, are not offered.
    summing_methods = (sqlite3_io_methods){
        .iVersion = 2,
        .xClose = summing_close,
        .xRead = summing_read,
        .xWrite = summing_write,
        .xTruncate = summing_truncate,
        .xSync = summing_sync,
        .xFileSize = summing_size,
        .xLock = summing_lock,
        .xUnlock = summing_unlock,
        .xCheckReservedLock = summing_reserved,
        .xFileControl = summing_control,
        .xSectorSize = summing_sector,
        .xDeviceCharacteristics = summing_traits,
        .xShmMap = summing_shm_map,
        .xShmLock = summing_shm_lock,
        .xShmBarrier = summing_shm_barrier,
        .xShmUnmap = summing_shm_unmap,
    };
    // Everything but opening is inherited; the real one's data goes with it.
    summing_vfs = *real_vfs;
    summing_vfs.zName = "mailworker";
    summing_vfs.szOsFile += (int)sizeof(summed_file) > mw_log_file_bytes ? (int)sizeof(summed_file) : mw_log_file_bytes;
    summing_vfs.xOpen = summing_open;
    summing_vfs.pNext = NULL;
    install_result = sqlite3_vfs_register(&summing_vfs, 1);
}

int mw_page_sums_install(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    return install_result;
}

int mw_page_sums_reserve(struct sqlite3 *database) {
    int bytes = mw_page_sum_bytes;
    return sqlite3_file_control(database, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
}

// As it was opened; NULL while the database has none.
static sqlite3_file *opened_file(sqlite3 *database) {
    sqlite3_file *file = NULL;
    int code = sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    return code != SQLITE_OK || file == NULL || file->pMethods == NULL ? NULL : file;
}

static summed_file *summed_file_of(sqlite3 *database) {
    sqlite3_file *file = opened_file(database);
    return file != NULL && file->pMethods == &summing_methods ? (summed_file *)file : NULL;
}

int mw_salvage(sqlite3 *database) {
    summed_file *summed = summed_file_of(database);
    if (summed == NULL) return SQLITE_CANTOPEN;
    summed->salvages = 1;
    return SQLITE_OK;
}

int mw_gather_log_writes(sqlite3 *database) {
    summed_file *summed = summed_file_of(database);
    sqlite3_file *log = NULL;
    if (summed == NULL) return SQLITE_CANTOPEN;
    int code = sqlite3_file_control(database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    return code != SQLITE_OK ? code : mw_log_gather(log, &summed->log);
}

size_t mw_salvaged(sqlite3 *database, uint32_t *numbers, size_t room) {
    summed_file *summed = summed_file_of(database);
    if (summed == NULL) return 0;
    for (size_t i = 0; i < summed->lost_count && i < room; i++) numbers[i] = summed->lost[i];
    return summed->lost_count;
}

// The file of the real file system; NULL while the database has none.
static sqlite3_file *file_of(sqlite3 *database) {
    sqlite3_file *file = opened_file(database);
    return file != NULL && file->pMethods == &summing_methods ? real(file) : file;
}

int mw_file_read(sqlite3 *database, void *bytes, size_t count, int64_t offset) {
    sqlite3_file *file = file_of(database);
    return file == NULL ? SQLITE_CANTOPEN : file->pMethods->xRead(file, bytes, (int)count, offset);
}

int mw_file_size(sqlite3 *database, int64_t *bytes) {
    sqlite3_file *file = file_of(database);
    sqlite3_int64 size = 0;
    int code = file == NULL ? SQLITE_CANTOPEN : file->pMethods->xFileSize(file, &size);
    *bytes = size;
    return code;
}
