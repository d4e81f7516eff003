// pipeline RECORDS: source -> transform x 2 -> sink, records { id, 64 characters }, each hop a ring, in batches of 100.
#include "shape.hpp"

constexpr std::uint64_t BATCH = 100;
struct Record {
  std::int32_t id;
  std::uint32_t bytes;
  char payload[64];
};
using Lane = Ring<Record, 4096>;
static Lane in[2], out[2];

int main(int, char** arguments) {
  const std::uint64_t records = std::strtoull(arguments[1], nullptr, 10);
  const std::string text(64, 'x');
  const double start = nowMs();
  std::uint64_t shares[2] = {0, 0};
  for (std::uint64_t index = 0, turn = 0; index < records; index += BATCH, turn ^= 1)
    shares[turn] += records - index < BATCH ? records - index : BATCH;
  std::thread source([&] {
    std::uint64_t turn = 0;
    for (std::uint64_t index = 0; index < records; turn ^= 1) {
      const std::uint64_t count = records - index < BATCH ? records - index : BATCH;
      in[turn].room(count);
      for (std::uint64_t i = 0; i < count; i++, index++) {
        Record& record = in[turn].next();
        record.id = index & 0xffff;
        record.bytes = text.size();
        std::memcpy(record.payload, text.data(), text.size());
      }
      in[turn].publish();
    }
  });
  std::vector<std::thread> transforms;
  for (int worker = 0; worker < 2; worker++)
    transforms.emplace_back([&, worker] {
      unsigned vain = 1;
      for (std::uint64_t left = shares[worker]; left > 0;) {
        const std::uint64_t count = in[worker].ready(BATCH);
        if (count == 0) {
          rest(vain++);
          continue;
        }
        vain = 1;
        out[worker].room(count);
        for (std::uint64_t i = 0; i < count; i++) {
          Record& record = out[worker].next();
          record = in[worker].take();
          record.id++;
        }
        out[worker].publish();
        in[worker].release();
        left -= count;
      }
    });
  double sum = 0;
  unsigned vain = 1;
  for (std::uint64_t left = records; left > 0;) {
    std::uint64_t taken = 0;
    for (Lane& lane : out) {
      const std::uint64_t count = lane.ready(BATCH);
      for (std::uint64_t i = 0; i < count; i++) {
        const Record& record = lane.take();
        sum += record.id + record.bytes;
      }
      lane.release();
      taken += count;
    }
    left -= taken;
    if (taken == 0) rest(vain++);
    else vain = 1;
  }
  const double ms = nowMs() - start;
  source.join();
  for (std::thread& transform : transforms) transform.join();
  print(ms, sum);
}
