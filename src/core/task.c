#include "core/task.h"

#include <sched.h>

#include "core/cancel.h"

static void *enter(void *argument)
{
    struct task *task = argument;
    if (task->shielded)
        cancel_shield_begin();
    task->run(task->context);
    return NULL;
}

void task_start(struct task *task)
{
    task->shielded = cancel_is_shielded();
    task->threaded = pthread_create(&task->thread, NULL, enter, task) == 0;
    if (!task->threaded)
        task->run(task->context);
}

void task_join(struct task *task)
{
    if (!task->threaded)
        return;
    pthread_join(task->thread, NULL);
    task->threaded = false;
}

void task_run_all(struct task *tasks, size_t count)
{
    if (count == 0)
        return;
    for (size_t i = 0; i + 1 < count; i++)
        task_start(&tasks[i]);
    tasks[count - 1].run(tasks[count - 1].context);
    for (size_t i = 0; i + 1 < count; i++)
        task_join(&tasks[i]);
}

size_t task_processors(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? (size_t)count : 1;
}
