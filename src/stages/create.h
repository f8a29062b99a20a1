/*
 * create.h: a function that is not there yet, made with the role of create-with-role.
 */
#ifndef STAGES_CREATE_H
#define STAGES_CREATE_H

#include "stages/stage.h"

/*
 * CreateFunction with run->result.image.uri (1024 MB and 30 s unless the inputs say otherwise). A
 * role that IAM does not know yet is tried again for a while. A function that somebody made
 * meanwhile is no error: *ret_created is false, and nothing of it was read yet. One that is there
 * after a creation that was answered by silence is ours if it runs our image; *ret_function is then
 * empty. Does not wait until it is Active. -1 with *ret_created: cancelled, and it is there all the
 * same.
 */
int create_function(struct run *run, bool *ret_created, struct lambda_function *ret_function,
                    struct error *err);

#endif
