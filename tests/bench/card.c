// Makes each flush of a file take as much longer as TERN_CARD_MS says, as a memory card would. `make bench`
// loads it into the machines that it measures so.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

static void wait_for_the_card(void)
{
	const char *said = getenv("TERN_CARD_MS");
	long ms = said ? strtol(said, NULL, 10) : 0;
	struct timespec left = { ms / 1000, ms % 1000 * 1000000L };
	while (nanosleep(&left, &left) == -1 && errno == EINTR)
		;
}

int fdatasync(int file)
{
	int (*flush)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
	wait_for_the_card();
	return flush(file);
}
