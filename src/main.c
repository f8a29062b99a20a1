#include "app.h"

extern char **environ;

int main(int argc, char **argv)
{
    return app_main(argc, (const char *const *)argv, (const char *const *)environ);
}
