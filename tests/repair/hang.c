// Has each flush wait as long as the file named in TERN_TEST_HANG is there, as a card that has stopped to
// answer would.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void wait_for_the_card(void)
{
	const char *file = getenv("TERN_TEST_HANG");
	while (file && access(file, F_OK) == 0)
		usleep(10000);
}

int fdatasync(int file)
{
	int (*flush)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
	wait_for_the_card();
	return flush(file);
}
