/*
 * load: HTTP/1.1 requests in a closed loop. Each connection sends its next request when the answer is whole; one thread
 * for all of them. Status and length of every answer are checked. A body of known length is dropped in the kernel
 * (MSG_TRUNC), so that the tool costs less than any server that it measures.
 *
 *   load [-c connections] [-n requests in all] [-d seconds at most] [-X method] [-H "Name: value"]...
 *        [-p bytes to post] [-S status expected] [-B bytes of body expected] [-C] PORT PATH
 *
 * -C: a connection for each request. A server may close a connection whenever it likes: the next request goes over another,
 * as RFC 9112 section 9.3.1 has it, and its time goes on meanwhile. Prints one line of JSON: p50, p99, max are in
 * microseconds; reopened is the number of connections beyond the first ones, wrong what was wrong with the first wrong
 * answer, cpu the seconds of CPU time that the tool itself used.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum phase { SENDING, HEAD, LENGTH, CHUNKED, TO_CLOSE };
/* Within a chunked body. */
enum part { SIZE, EXTENSION, DATA, DATA_END, TRAILER };

struct connection {
  int fd;
  enum phase phase;
  long sent; /* of the head, then of the body */
  double start;
  char head[16384];
  int got; /* bytes of the head so far */
  int closing, used; /* used: it has carried a whole answer */
  long long left, body;
  enum part part;
  int line; /* characters in this line of the trailer */
};

static int connections = 1, expected_status = 200, close_each, port, epoll;
static long limit = -1, started, post;
static long long expected_body = -1, bytes;
static double seconds = 60, begin;
static const char *method = "GET";
static char request[8192], fill[1 << 18], buffer[1 << 18];
static int request_length;
static unsigned *times;
static long done, errors, room, opened;
static char wrong[100];
static int active;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void watch(struct connection *c, int op, unsigned events) {
  struct epoll_event e = {.events = events, .data.ptr = c};
  epoll_ctl(epoll, op, c->fd, &e);
}

static void next(struct connection *c);
static void proceed(struct connection *c);

static void open_connection(struct connection *c) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  int yes = 1;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (connect(c->fd, (struct sockaddr *)&a, sizeof a) && errno != EINPROGRESS) {
    perror("connect");
    exit(1);
  }
  opened++;
  c->used = 0;
  watch(c, EPOLL_CTL_ADD, EPOLLOUT);
}

static void close_connection(struct connection *c) {
  close(c->fd);
  c->fd = -1;
}

static void record(double took) {
  if (done == room) times = realloc(times, sizeof *times * (size_t)(room = room ? room * 2 : 65536));
  times[done++] = (unsigned)(took * 1e6);
}

/* No answer, or none that is right. */
static void fail(struct connection *c, const char *what, long number) {
  if (!errors++) snprintf(wrong, sizeof wrong, what, number);
  close_connection(c);
  next(c);
}

/* The server has closed it: between two answers, as it may, or in one. */
static void closed(struct connection *c) {
  if (!c->used || c->got) {
    fail(c, c->got ? "closed in its midst" : "closed without an answer", 0);
    return;
  }
  close_connection(c);
  c->phase = SENDING;
  c->sent = 0;
  open_connection(c);
}

static void send_request(struct connection *c) {
  long whole = request_length + post;
  while (c->sent < whole) {
    long at = c->sent - request_length;
    const char *from = at < 0 ? request + c->sent : fill;
    long size = at < 0 ? request_length - c->sent : post - at;
    if (size > (long)sizeof fill) size = (long)sizeof fill;
    ssize_t n = send(c->fd, from, (size_t)size, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == ENOTCONN)) {
      watch(c, EPOLL_CTL_MOD, EPOLLOUT);
      return;
    }
    if (n < 0 && !c->used) {
      fail(c, errno == ECONNREFUSED ? "connection refused" : "not taken", 0);
      return;
    }
    if (n < 0) {
      closed(c);
      return;
    }
    c->sent += n;
  }
  c->phase = HEAD;
  watch(c, EPOLL_CTL_MOD, EPOLLIN);
}

/* Starts the next request, on a new connection where the last one is closed. */
static void next(struct connection *c) {
  if ((limit >= 0 && started >= limit) || errors > 1000) {
    if (c->fd >= 0) close_connection(c);
    active--;
    return;
  }
  started++;
  c->phase = SENDING;
  c->sent = c->got = c->closing = c->line = 0;
  c->body = c->left = 0;
  c->part = SIZE;
  c->start = now();
  if (c->fd < 0) open_connection(c);
  else send_request(c);
}

static void finish(struct connection *c) {
  if (expected_body >= 0 && c->body != expected_body && strcmp(method, "HEAD")) {
    fail(c, "a body of %ld bytes", (long)c->body);
    return;
  }
  record(now() - c->start);
  c->used = 1;
  if (c->closing || close_each) close_connection(c);
  next(c);
}

/* Takes bytes of a chunked body. True when it has ended. */
static int unchunk(struct connection *c, const char *p, long n) {
  while (n > 0) {
    switch (c->part) {
    case SIZE: {
      char d = *p | 32;
      int digit = d >= '0' && d <= '9' ? d - '0' : d >= 'a' && d <= 'f' ? d - 'a' + 10 : -1;
      if (digit >= 0) {
        c->left = c->left * 16 + digit;
        p++, n--;
      } else c->part = EXTENSION;
      break;
    }
    case EXTENSION:
      if (*p == '\n') c->part = c->left ? DATA : TRAILER, c->line = 0;
      p++, n--;
      break;
    case DATA: {
      long k = n < c->left ? n : (long)c->left;
      c->left -= k, c->body += k, p += k, n -= k;
      if (c->left == 0) c->part = DATA_END;
      break;
    }
    case DATA_END:
      if (*p == '\n') c->part = SIZE;
      p++, n--;
      break;
    case TRAILER:
      if (*p == '\n' && c->line == 0) return 1;
      c->line = *p == '\n' ? 0 : *p == '\r' ? c->line : 1;
      p++, n--;
      break;
    }
  }
  return 0;
}

static char *field(struct connection *c, const char *name, const char *end) {
  char *at = strcasestr(c->head, name);
  return at && at < end ? at + strlen(name) : NULL;
}

/* The head is whole: what follows it, and how long that is. */
static void take_head(struct connection *c, const char *end) {
  int status = atoi(c->head + 9);
  long rest = c->head + c->got - end;
  char *length = field(c, "\ncontent-length:", end), *coding = field(c, "\ntransfer-encoding:", end);
  char *persistence = field(c, "\nconnection:", end);
  c->closing = persistence ? !strncasecmp(persistence + strspn(persistence, " "), "close", 5)
                           : !strncmp(c->head, "HTTP/1.0", 8);
  if (strncmp(c->head, "HTTP/1.", 7)) {
    fail(c, "not HTTP/1", 0);
  } else if (status != expected_status) {
    fail(c, "status %ld", status);
  } else if (!strcmp(method, "HEAD") || status == 204 || status == 304) {
    if (rest) fail(c, "%ld bytes of a body where none may be", rest);
    else finish(c);
  } else if (coding) {
    c->phase = CHUNKED;
    bytes += rest;
    if (unchunk(c, end, rest)) finish(c);
    else proceed(c);
  } else {
    bytes += rest;
    c->body = rest;
    c->left = length ? atoll(length) - rest : 0;
    c->phase = length ? LENGTH : TO_CLOSE;
    if (length && c->left < 0) fail(c, "%ld bytes more than announced", (long)-c->left);
    else if (length && c->left == 0) finish(c);
    else proceed(c);
  }
}

/* Reads what there is. */
static void proceed(struct connection *c) {
  for (;;) {
    ssize_t n;
    if (c->phase == HEAD) {
      n = recv(c->fd, c->head + c->got, sizeof c->head - 1 - (size_t)c->got, 0);
    } else if (c->phase == CHUNKED) {
      n = recv(c->fd, buffer, sizeof buffer, 0);
    } else {
      n = recv(c->fd, NULL, c->phase == LENGTH && c->left < 1 << 20 ? (size_t)c->left : 1 << 20, MSG_TRUNC);
    }
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      c->closing = 1;
      if (n == 0 && c->phase == TO_CLOSE) finish(c);
      else closed(c);
      return;
    }
    if (c->phase == HEAD) {
      c->got += (int)n;
      c->head[c->got] = 0;
      /* A server that passes a script's lines on as they are may end the head with bare line feeds. */
      char *crlf = strstr(c->head, "\r\n\r\n"), *lf = strstr(c->head, "\n\n");
      char *end = crlf && (!lf || crlf < lf) ? crlf + 4 : lf ? lf + 2 : NULL;
      if (end) take_head(c, end);
      else if (c->got == (int)sizeof c->head - 1) fail(c, "a head of %ld bytes and more", c->got);
      else continue;
      return;
    }
    bytes += n;
    if (c->phase == CHUNKED) {
      if (unchunk(c, buffer, n)) {
        finish(c);
        return;
      }
    } else {
      c->body += n;
      if (c->phase == LENGTH && (c->left -= n) == 0) {
        finish(c);
        return;
      }
    }
    /* A turn for the others, where one body would fill all of the time. */
    if (connections > 1) return;
  }
}

static int ascending(const void *a, const void *b) {
  unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
  return x < y ? -1 : x > y;
}

static unsigned percentile(double share) {
  long at = (long)(share * (double)done);
  return done ? times[at < done ? at : done - 1] : 0;
}

int main(int argc, char **argv) {
  char fields[4096] = "";
  int o;
  while ((o = getopt(argc, argv, "c:n:d:X:H:p:S:B:C")) != -1) switch (o) {
    case 'c': connections = atoi(optarg); break;
    case 'n': limit = atol(optarg); break;
    case 'd': seconds = atof(optarg); break;
    case 'X': method = optarg; break;
    case 'H': strncat(fields, optarg, sizeof fields - strlen(fields) - 3), strcat(fields, "\r\n"); break;
    case 'p': post = atol(optarg), method = "POST"; break;
    case 'S': expected_status = atoi(optarg); break;
    case 'B': expected_body = atoll(optarg); break;
    case 'C': close_each = 1; break;
    default: return 2;
  }
  if (argc - optind != 2 || connections < 1) return 2;
  port = atoi(argv[optind]);
  request_length = snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s", method, argv[optind + 1], port, fields);
  if (post) request_length += snprintf(request + request_length, sizeof request - (size_t)request_length, "Content-Type: application/octet-stream\r\nContent-Length: %ld\r\n", post);
  request_length += snprintf(request + request_length, sizeof request - (size_t)request_length, "%s\r\n", close_each ? "Connection: close\r\n" : "");
  memset(fill, 'x', sizeof fill);

  struct connection *all = calloc((size_t)connections, sizeof *all);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  active = connections;
  begin = now();
  for (int i = 0; i < connections; i++) {
    all[i].fd = -1;
    next(&all[i]);
  }
  double end = begin + seconds, t = begin;
  while (active > 0 && t < end) {
    struct epoll_event events[256];
    int n = epoll_wait(epoll, events, 256, (int)((end - t) * 1000) + 1);
    for (int i = 0; i < n; i++) {
      struct connection *c = events[i].data.ptr;
      if (c->fd < 0) continue;
      if (c->phase == SENDING) send_request(c);
      else proceed(c);
    }
    t = now();
  }
  double took = now() - begin;
  /* A number of requests was asked for, and not all were answered in time. */
  if (limit >= 0 && active > 0 && !errors) snprintf(wrong, sizeof wrong, "none in %.0f s", took);
  if (limit >= 0) errors += active;
  long answered = done;
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  qsort(times, (size_t)done, sizeof *times, ascending);
  /* An answer that has not come yet counts for what has been waited for it, where that is more than any has taken. */
  if (answered) {
    unsigned longest = times[answered - 1];
    for (int i = 0; i < connections; i++) {
      if (all[i].fd >= 0 && (now() - all[i].start) * 1e6 > longest) record(now() - all[i].start);
    }
    qsort(times, (size_t)done, sizeof *times, ascending);
  }
  printf("{\"requests\":%ld,\"errors\":%ld,\"wrong\":\"%s\",\"reopened\":%ld,\"seconds\":%.6f,\"bytes\":%lld,"
         "\"p50\":%u,\"p99\":%u,\"max\":%u,\"cpu\":%.4f}\n",
         answered, errors, wrong, opened > connections ? opened - connections : 0, took, bytes + post * answered,
         percentile(0.5), percentile(0.99), done ? times[done - 1] : 0, cpu);
  return 0;
}
