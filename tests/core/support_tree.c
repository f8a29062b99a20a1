#include "core/support_tree.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/strbuf.h"

char *tree_new(void)
{
    char *root;
    struct error err = ERROR_INIT;
    ck_assert_msg(file_make_temp_folder(NULL, &root, &err) == 0, "%s", err.msg);
    return root;
}

void tree_remove(char *root)
{
    struct error err = ERROR_INIT;
    ck_assert_msg(file_remove_tree(root, &err) == 0, "%s", err.msg);
    free(root);
}

static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (access(path, F_OK) != 0) {
            ck_assert_msg(mkdir(path, 0755) == 0, "%s", path);
            ck_assert(chmod(path, 0755) == 0);
        }
        *slash = '/';
    }
}

static void make_file(const char *path, const char *content)
{
    FILE *file = fopen(path, "we");
    ck_assert_msg(file != NULL, "%s", path);
    for (; *content; content++)
        ck_assert(fputc(*content == *TREE_LF ? '\n' : *content, file) != EOF);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(path, 0644), 0);
}

/* If `mark` stands in the line, end the line there and give what is behind it. */
static char *behind(char *line, const char *mark)
{
    char *found = strstr(line, mark);
    if (!found)
        return NULL;
    *found = '\0';
    return found + strlen(mark);
}

static void make_line(const char *root, char *line)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
    struct error err = ERROR_INIT;
    unsigned mode = 0;
    size_t digits = strspn(line, "01234567");
    bool has_mode = line[0] == '0' && (digits == 4 || digits == 5) && line[digits] == ' ';
    bool removes = strncmp(line, "- ", 2) == 0;
    if (has_mode)
        mode = (unsigned)strtoul(line, NULL, 8);
    line += has_mode ? digits + 1 : removes ? 2 : 0;
    char *target = behind(line, " -> "), *content = target ? NULL : behind(line, " = ");
    bool fifo = !target && !content && behind(line, " |");
    strbuf_addf(&path, "%s/%s", root, line);
    if (!removes)
        make_folders(path.buf);
    if (removes) {
        ck_assert_msg(file_remove_tree(path.buf, &err) == 0, "%s", err.msg);
    } else if (has_mode) {
        ck_assert_msg(chmod(path.buf, mode) == 0, "%s", path.buf);
    } else if (target) {
        (void)unlink(path.buf);
        ck_assert_msg(symlink(target, path.buf) == 0, "%s", path.buf);
    } else if (fifo) {
        ck_assert_msg(mkfifo(path.buf, 0644) == 0, "%s", path.buf);
    } else if (content) {
        make_file(path.buf, content);
    }
}

void tree_make(const char *root, const char *spec)
{
    char *copy = memory_copy_string(spec), *next = copy;
    while (next) {
        char *line = next;
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (*line)
            make_line(root, line);
    }
    free(copy);
}
