/*
 * spawn: how many times a second the machine can run a program and read what it prints: no server can run more scripts.
 * vfork and exec, from a process of a megabyte, with nothing but an empty environment.
 *
 *   spawn [-c at a time] [-w processes that do this] [-d seconds] PROGRAM
 *
 * Prints a line of JSON as the tool `load` does.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST 64
#define TIMES 200000

/* What one of the processes has done. */
struct record {
  long done, errors, bytes;
  unsigned times[TIMES];
};

struct child {
  pid_t pid;
  int output;
  double start;
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void start(struct child *c, char *program, int nothing) {
  int ends[2];
  char *const words[] = {program, NULL}, *const environment[] = {NULL};
  c->start = now();
  if (pipe2(ends, O_CLOEXEC)) exit(1);
  c->pid = vfork();
  if (c->pid == 0) {
    dup2(nothing, 0);
    dup2(ends[1], 1);
    execve(program, words, environment);
    _exit(127);
  }
  close(ends[1]);
  c->output = ends[0];
}

static void finish(struct child *c, struct record *r) {
  char buffer[65536];
  ssize_t n;
  int status;
  while ((n = read(c->output, buffer, sizeof buffer)) > 0) r->bytes += n;
  close(c->output);
  waitpid(c->pid, &status, 0);
  if (status != 0 || r->done == TIMES) r->errors++;
  else r->times[r->done++] = (unsigned)((now() - c->start) * 1e6);
}

static void loop(char *program, int at_a_time, double seconds, struct record *r) {
  struct child children[MOST];
  int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  double end = now() + seconds;
  for (int i = 0; i < at_a_time; i++) start(&children[i], program, nothing);
  for (int i = 0; now() < end; i = (i + 1) % at_a_time) {
    finish(&children[i], r);
    start(&children[i], program, nothing);
  }
  /* Those that run when the time is over are not counted. */
  struct record rest = {0};
  for (int i = 0; i < at_a_time; i++) finish(&children[i], &rest);
}

static int ascending(const void *a, const void *b) {
  unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
  return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
  int o, at_a_time = 1, processes = 1;
  double seconds = 2;
  while ((o = getopt(argc, argv, "c:w:d:")) != -1) switch (o) {
    case 'c': at_a_time = atoi(optarg); break;
    case 'w': processes = atoi(optarg); break;
    case 'd': seconds = atof(optarg); break;
    default: return 2;
  }
  if (argc - optind != 1 || processes < 1 || at_a_time < processes || at_a_time > MOST) return 2;
  struct record *records = mmap(NULL, sizeof *records * (size_t)processes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < processes; i++) {
    if (fork()) continue;
    loop(argv[optind], at_a_time / processes, seconds, &records[i]);
    return 0;
  }
  while (wait(NULL) > 0);

  long done = 0, errors = 0, bytes = 0;
  unsigned *times = malloc(sizeof *times * TIMES * (size_t)processes);
  for (int i = 0; i < processes; i++) {
    for (long k = 0; k < records[i].done; k++) times[done++] = records[i].times[k];
    errors += records[i].errors, bytes += records[i].bytes;
  }
  qsort(times, (size_t)done, sizeof *times, ascending);
  struct rusage used;
  getrusage(RUSAGE_CHILDREN, &used);
  double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  printf("{\"requests\":%ld,\"errors\":%ld,\"seconds\":%.6f,\"bytes\":%ld,\"p50\":%u,\"p99\":%u,\"max\":%u,\"cpu\":%.4f}\n", done, errors,
         seconds, bytes, done ? times[done / 2] : 0, done ? times[(long)((double)done * 0.99)] : 0, done ? times[done - 1] : 0, cpu);
  return 0;
}
