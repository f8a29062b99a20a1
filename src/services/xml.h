/*
 * xml.h: the text of one element of an XML answer. Pure.
 *
 * STS answers in a small, flat XML whose elements of interest hold nothing but text, and each name
 * is there once where it matters. This reader looks for the first element of a name, at any depth,
 * and is no XML parser: DTDs and processing instructions mean nothing to it, an element inside the
 * wanted one ends its text. Nothing in a document makes it read behind `len` or run longer than one
 * pass.
 */
#ifndef SERVICES_XML_H
#define SERVICES_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "core/strbuf.h"

/*
 * Add the text of the first `element` (a local name: "ns:Code" is found as "Code"), the five named
 * entities and numeric ones decoded, white space at both ends left out. False, and nothing added,
 * when it is not there, or is cut off before its text ends.
 */
bool xml_add_text(const char *xml, size_t len, const char *element, struct strbuf *out);

/* The local name of the outermost element into `out`; false if there is none. */
bool xml_add_root(const char *xml, size_t len, struct strbuf *out);

#endif
