/* Reads the request's body, and says how long it was. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void) {
  static char buffer[1 << 16];
  const char *length = getenv("CONTENT_LENGTH");
  long long left = length ? atoll(length) : 0, count = 0;
  while (left > 0) {
    ssize_t n = read(0, buffer, left < (long long)sizeof buffer ? (size_t)left : sizeof buffer);
    if (n <= 0) break;
    left -= n, count += n;
  }
  printf("Content-Type: text/plain\n\n%lld", count);
  return 0;
}
