#include "CMimetic.h"

#include <mimetic/mimetic.h>

#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

namespace {

typedef mimetic::IteratorParser<const char *, std::input_iterator_tag> LineExactParser;

/// What was seen of one entity while its header and body were read.
struct Extent {
    const mimetic::MimeEntity *entity;
    size_t header_start;
    size_t body_start;
    size_t body_end;
};

/// libmimetic's parser with a scanner of our own for bodies: it stops at
/// delimiters at line starts only (the stock memory scanner also stops in
/// mid-line, and is quadratic in the boundary), and notes offsets instead of
/// copying (the stock stream scanner copies byte by byte).
class ExtentParser : public LineExactParser {
public:
    ExtentParser(mimetic::MimeEntity &root, const char *base)
        : LineExactParser(root), m_base(base), m_next_header(0) {
        this->iMask(mimetic::imNone);
    }

    std::vector<Extent> extents;

protected:
    void copy_until_boundary(mimetic::ParsingElem element) override {
        const size_t start = size_t(this->m_bit - m_base);
        const size_t end = scan();
        if (element == peBody || element == pePreamble) {
            extents.push_back(Extent{this->m_entityStack.top(), m_next_header, start, end});
        }
        m_next_header = size_t(this->m_bit - m_base);
    }

private:
    const char *m_base;
    size_t m_next_header;

    static bool only_blanks(const char *from, const char *to) {
        while (from != to && (*from == ' ' || *from == '\t' || *from == '\r')) ++from;
        return from == to;
    }

    /// Moves behind the next delimiter line of any open multipart, and returns
    /// where the data before it ends.
    size_t scan() {
        const char *const limit = this->m_eit;
        const char *cursor = this->m_bit;
        const char *const begin = cursor;
        while (cursor != limit) {
            const char *dash = static_cast<const char *>(memchr(cursor, '-', size_t(limit - cursor)));
            if (!dash) break;
            const bool at_line_start = dash == m_base || dash[-1] == '\n';
            if (!at_line_start || limit - dash < 2 || dash[1] != '-') {
                cursor = dash + 1;
                while (cursor != limit && *cursor == '-') ++cursor;
                continue;
            }
            const char *newline = static_cast<const char *>(memchr(dash, '\n', size_t(limit - dash)));
            const char *const line_end = newline ? newline : limit;
            if (is_delimiter(dash, line_end)) {
                this->m_bit = newline ? newline + 1 : limit;
                const char *data_end = dash;
                if (data_end > begin && data_end[-1] == '\n') {
                    --data_end;
                    if (data_end > begin && data_end[-1] == '\r') --data_end;
                }
                return size_t(data_end - m_base);
            }
            cursor = line_end;
        }
        this->m_bit = limit;
        this->m_lastBoundary = NoBoundary;
        return size_t(limit - m_base);
    }

    bool is_delimiter(const char *line, const char *line_end) {
        const size_t length = size_t(line_end - line);
        bool outer = false;
        for (const std::string &boundary : this->m_boundaryList) {
            const size_t size = boundary.length();
            if (length >= size && memcmp(line, boundary.data(), size) == 0) {
                const char *rest = line + size;
                const bool closes = line_end - rest >= 2 && rest[0] == '-' && rest[1] == '-';
                if (only_blanks(closes ? rest + 2 : rest, line_end)) {
                    this->m_lastBoundary =
                        outer ? HigherLevelBoundary : (closes ? ClosingBoundary : Boundary);
                    return true;
                }
            }
            outer = true;
        }
        return false;
    }
};

bool is_message(const mimetic::ContentType &type) {
    return type.type() == "message" && type.subtype() == "rfc822";
}

/// Without making a field where there is none.
const mimetic::ContentType &type_of(const mimetic::MimeEntity &entity) {
    return entity.header().contentType();
}

/// The entity whose body is scanned first when `entity`, a message, is read.
const mimetic::MimeEntity *first_scanned(mimetic::MimeEntity *entity) {
    while (!entity->body().parts().empty() && is_message(type_of(*entity))) {
        entity = entity->body().parts().front();
    }
    return entity;
}

/// Depth first, without recursion over what the mail chose: an explicit stack.
/// Returns false when there are more entities than `capacity`.
bool list_entities(
    mimetic::MimeEntity &root, const std::vector<Extent> &extents, mw_mimetic_entity *entities,
    size_t capacity, size_t *count) {
    std::vector<std::pair<mimetic::MimeEntity *, int32_t>> pending;
    pending.push_back(std::make_pair(&root, int32_t(-1)));
    size_t listed = 0;
    size_t next = 0;
    // The message part listed last: the extents that pass by lie within it.
    mw_mimetic_entity *within = nullptr;
    while (!pending.empty()) {
        mimetic::MimeEntity *entity = pending.back().first;
        const int32_t parent = pending.back().second;
        pending.pop_back();
        if (listed == capacity) return false;
        // The library looks the field up each time.
        const mimetic::ContentType &type = type_of(*entity);
        const bool message = is_message(type);
        const mimetic::MimeEntity *first = message ? first_scanned(entity) : entity;
        while (next < extents.size() && extents[next].entity != first) {
            if (within) within->body_end = extents[next].body_end;
            ++next;
        }
        if (next == extents.size()) return false;
        mw_mimetic_entity &item = entities[listed];
        memset(&item, 0, sizeof item);
        item.parent = parent;
        item.header_start = extents[next].header_start;
        item.is_multipart = type.isMultipart() ? 1 : 0;
        item.is_message = message ? 1 : 0;
        within = item.is_message ? &item : nullptr;
        const int32_t self = int32_t(listed);
        ++listed;
        if (item.is_message) continue;
        item.body_start = extents[next].body_start;
        item.body_end = extents[next].body_end;
        ++next;
        mimetic::MimeEntityList &parts = entity->body().parts();
        for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
            pending.push_back(std::make_pair(*part, self));
        }
    }
    for (; within && next < extents.size(); ++next) within->body_end = extents[next].body_end;
    *count = listed;
    return true;
}

}  // namespace

extern "C" mw_mimetic_outcome mw_mimetic_read(
    const char *bytes, size_t length, mw_mimetic_entity *entities, size_t capacity, size_t *count)
    noexcept {
    *count = 0;
    try {
        mimetic::MimeEntity root;
        ExtentParser parser(root, bytes);
        parser.run(bytes, bytes + length);
        return list_entities(root, parser.extents, entities, capacity, count)
                   ? MW_MIMETIC_READ
                   : MW_MIMETIC_TOO_MANY;
    } catch (...) {
        return MW_MIMETIC_FAILED;
    }
}
