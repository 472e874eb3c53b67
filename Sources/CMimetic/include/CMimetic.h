#ifndef MAILWORKER_CMIMETIC_H
#define MAILWORKER_CMIMETIC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define MW_NOEXCEPT noexcept
extern "C" {
#else
#define MW_NOEXCEPT
#endif

/// One entity of libmimetic's reading, as offsets into the bytes it was given.
typedef struct {
    /// First byte of the entity's header block.
    size_t header_start;
    /// First byte after the blank line that ends the header block.
    size_t body_start;
    /// End of the body, the line end before the delimiter not included.
    size_t body_end;
    /// Index of the parent in the same list; -1 for the message itself.
    int32_t parent;
    /// The Content-Type says multipart/*.
    uint8_t is_multipart;
    /// The Content-Type says message/rfc822; the message within is not listed.
    uint8_t is_message;
} mw_mimetic_entity;

/// How a reading ended.
typedef enum {
    MW_MIMETIC_READ = 0,
    /// More entities than `capacity`; none is reported.
    MW_MIMETIC_TOO_MANY = 1,
    /// libmimetic gave up (an exception, no memory); none is reported.
    MW_MIMETIC_FAILED = 2
} mw_mimetic_outcome;

/// Reads the entity tree of a message in pre-order into `entities`, and its
/// number into `count`. Bodies are not copied.
///
/// Never throws and keeps nothing. The caller has bounded the nesting and the
/// length of fields before: libmimetic recurses once a level and is quadratic
/// in the length of a field.
mw_mimetic_outcome mw_mimetic_read(
    const char *bytes, size_t length, mw_mimetic_entity *entities, size_t capacity, size_t *count)
    MW_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif
