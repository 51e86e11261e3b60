// walk.c lists what walk/main.go does, in C.
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *path) {
	perror(path);
	return 1;
}

static int file(const char *path) {
	char text[1000];
	FILE *f = fopen(path, "r");
	if (!f)
		return fail(path);
	printf("%s: ", path);
	for (size_t n; (n = fread(text, 1, sizeof text, f)) > 0;)
		fwrite(text, 1, n, stdout);
	printf("\n");
	return fclose(f);
}

static int walk(const char *path);

static int directory(const char *path) {
	DIR *d = opendir(path);
	if (!d)
		return fail(path);
	printf("%s/\n", path);
	for (struct dirent *e; (e = readdir(d));) {
		char child[1000];
		snprintf(child, sizeof child, "%s/%s", path, e->d_name);
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && walk(child))
			return 1;
	}
	return closedir(d);
}

static int walk(const char *path) {
	struct stat st;
	char target[1000] = "";
	if (lstat(path, &st))
		return fail(path);
	if (S_ISDIR(st.st_mode))
		return directory(path);
	if (!S_ISLNK(st.st_mode))
		return file(path);
	if (readlink(path, target, sizeof target - 1) < 0)
		return fail(path);
	printf("%s -> %s\n", path, target);
	return 0;
}

int main(int argc, char **argv) { return walk(argv[1]); }
