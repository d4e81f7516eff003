// ints RECORDS: source -> transform -> sink of plain integers, in batches of 1,000.
#include "shape.hpp"

constexpr std::uint64_t BATCH = 1000;
using Lane = Ring<std::int32_t, 65536>;
static Lane in, out;

int main(int, char** arguments) {
  const std::uint64_t records = std::strtoull(arguments[1], nullptr, 10);
  const double start = nowMs();
  std::thread source([&] {
    for (std::uint64_t index = 0; index < records;) {
      const std::uint64_t count = records - index < BATCH ? records - index : BATCH;
      in.room(count);
      for (std::uint64_t i = 0; i < count; i++, index++) in.next() = index & 0xffff;
      in.publish();
    }
  });
  std::thread transform([&] {
    unsigned vain = 1;
    for (std::uint64_t left = records; left > 0;) {
      const std::uint64_t count = in.ready(BATCH);
      if (count == 0) {
        rest(vain++);
        continue;
      }
      vain = 1;
      out.room(count);
      for (std::uint64_t i = 0; i < count; i++) out.next() = in.take() + 1;
      out.publish();
      in.release();
      left -= count;
    }
  });
  double sum = 0;
  unsigned vain = 1;
  for (std::uint64_t left = records; left > 0;) {
    const std::uint64_t count = out.ready(BATCH);
    if (count == 0) {
      rest(vain++);
      continue;
    }
    vain = 1;
    for (std::uint64_t i = 0; i < count; i++) sum += out.take();
    out.release();
    left -= count;
  }
  const double ms = nowMs() - start;
  source.join();
  transform.join();
  print(ms, sum);
}
