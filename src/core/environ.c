#include "core/environ.h"

#include <string.h>

const char *environ_get(const char *const *environ, const char *name)
{
    size_t len = strlen(name);
    const char *found = NULL;
    if (!environ)
        return NULL;
    for (; *environ; environ++)
        if (strncmp(*environ, name, len) == 0 && (*environ)[len] == '=')
            found = *environ + len + 1;
    return found && *found ? found : NULL;
}
