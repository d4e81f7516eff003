// ring RECORDS PUBLISH_EVERY: 64-byte records, filled by a writer thread, summed by a reader thread.
#include "shape.hpp"

struct Record {
  double fields[8];
};
static Ring<Record, 16384> ring;

int main(int, char** arguments) {
  const std::uint64_t records = std::strtoull(arguments[1], nullptr, 10);
  const std::uint64_t every = std::strtoull(arguments[2], nullptr, 10);
  const double start = nowMs();
  std::thread writer([&] {
    for (std::uint64_t index = 0; index < records;) {
      const std::uint64_t count = records - index < every ? records - index : every;
      ring.room(count);
      for (std::uint64_t i = 0; i < count; i++, index++) {
        Record& record = ring.next();
        const double value = index & 255;
        for (double& field : record.fields) field = value;
      }
      ring.publish();
    }
  });
  double sum = 0;
  unsigned vain = 1;
  for (std::uint64_t left = records; left > 0;) {
    const std::uint64_t count = ring.ready(every);
    if (count == 0) {
      rest(vain++);
      continue;
    }
    vain = 1;
    for (std::uint64_t i = 0; i < count; i++) {
      // A sum for each record, as the other side has it: one long chain of additions would be what is measured.
      const auto& [a, b, c, d, e, f, g, h] = ring.take().fields;
      sum += a + b + c + d + e + f + g + h;
    }
    ring.release();
    left -= count;
  }
  const double ms = nowMs() - start;
  writer.join();
  print(ms, sum);
}
