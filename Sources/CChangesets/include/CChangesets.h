#ifndef MAILWORKER_CCHANGESETS_H
#define MAILWORKER_CCHANGESETS_H

#include <stddef.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_value;

// SQLite's session extension: the system's library has it, and its header shows it only to those
// who define SQLITE_ENABLE_SESSION. All results are SQLite result codes.

/// Records what a connection changes in its tables, from `mw_recording_begin` on.
typedef struct mw_recording mw_recording;

/// Whether the changes of a table are recorded.
typedef int (*mw_table_choice)(const char *table);

int mw_recording_begin(struct sqlite3 *database, mw_table_choice choice, mw_recording **out);

/// What is changed until `paused` is 0 again is not recorded.
void mw_recording_pause(mw_recording *recording, int paused);

/// Ends a recording. `*bytes` is the changeset, to be freed with `mw_changeset_free`, or NULL when nothing
/// has changed.
int mw_recording_end(mw_recording *recording, uint8_t **bytes, int *count);

/// Ends a recording without its changeset.
void mw_recording_abandon(mw_recording *recording);

void mw_changeset_free(uint8_t *bytes);

/// The changeset that takes back another one.
int mw_changeset_invert(const uint8_t *bytes, int count, uint8_t **out, int *out_count);

/// One change of a changeset. Values that it does not tell are NULL.
typedef void (*mw_change_reader)(
    void *context, const char *table, int operation, int columns, const uint8_t *is_key,
    struct sqlite3_value *const *old_values, struct sqlite3_value *const *new_values);

int mw_changeset_read(const uint8_t *bytes, int count, void *context, mw_change_reader reader);

/// Makes the changes, whatever a row holds by now, and passes over rows that are not there: whoever calls it records
/// what happens and compares. At a row that a constraint forbids, `SQLITE_ABORT` is returned, what was changed before is
/// for the caller to take back,
/// and that row has been handed to `reader` (with a NULL table when what is in the way is a foreign key).
int mw_changeset_apply(
    struct sqlite3 *database, const uint8_t *bytes, int count, void *context, mw_change_reader reader);

#endif
