/*
 * operations.c: prints every operation of AWS that the program can send, `service name
 * changes|reads` a line, from its own table. The tests of faults begin with this list, so that a
 * new operation cannot be forgotten.
 */
#include <stdio.h>

#include "services/aws_operations.h"

int main(void)
{
    for (size_t i = 0; aws_operations[i]; i++)
        printf("%s %s %s\n", aws_operations[i]->service->name, aws_operations[i]->name,
               aws_operations[i]->changes ? "changes" : "reads");
    return 0;
}
