#include "core/streams.h"

#include <fcntl.h>
#include <unistd.h>

void streams_occupy(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDONLY); /* the lowest number that is free */
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}
