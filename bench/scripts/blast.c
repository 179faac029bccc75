/* Writes 100 MiB. */
#include <string.h>
#include <unistd.h>

int main(void) {
  static const char head[] = "Content-Type: application/octet-stream\n\n";
  static char piece[1 << 16];
  memset(piece, 'x', sizeof piece);
  if (write(1, head, sizeof head - 1) < 0) return 1;
  for (long left = 100L << 20; left > 0;) {
    ssize_t n = write(1, piece, left < (long)sizeof piece ? (size_t)left : sizeof piece);
    if (n <= 0) return 1;
    left -= n;
  }
  return 0;
}
