// Debian's libxml2 shows ICU's headers, which clash with those inside Foundation.
// Nothing that we use depends on them.
#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED
#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>
