// hop RECORDS: records of six fields (two integers, a float, a boolean, two short strings) from thread to thread, the
// strings copied into new ones on the other side, as they are for us.
#include "shape.hpp"

struct Framed {
  double value;
  std::int32_t id, count;
  bool isGood;
  std::uint8_t nameBytes, cityBytes;
  char name[16], city[16];
};
struct SixFields {
  std::int32_t id, count;
  double value;
  bool isGood;
  std::string name, city;
};
static Ring<Framed, 4096> ring;

int main(int, char** arguments) {
  const std::uint64_t records = std::strtoull(arguments[1], nullptr, 10);
  std::vector<std::string> names, cities;
  for (int i = 0; i < 64; i++) names.push_back("sensor " + std::to_string(i));
  for (int i = 0; i < 32; i++) cities.push_back(std::string("Springfield").substr(0, 4 + i % 7));
  const double start = nowMs();
  std::thread writer([&] {
    for (std::uint64_t index = 0; index < records;) {
      const std::uint64_t count = records - index < 128 ? records - index : 128;
      ring.room(count);
      for (std::uint64_t i = 0; i < count; i++, index++) {
        const int id = index & 0xffff;
        const SixFields record{id, id % 100, id + 0.5, (id & 1) == 0, names[id & 63], cities[id & 31]};
        Framed& frame = ring.next();
        frame.value = record.value;
        frame.id = record.id;
        frame.count = record.count;
        frame.isGood = record.isGood;
        frame.nameBytes = record.name.size();
        frame.cityBytes = record.city.size();
        std::memcpy(frame.name, record.name.data(), record.name.size());
        std::memcpy(frame.city, record.city.data(), record.city.size());
      }
      ring.publish();
    }
  });
  double sum = 0;
  unsigned vain = 1;
  for (std::uint64_t left = records; left > 0;) {
    const std::uint64_t count = ring.ready(128);
    if (count == 0) {
      rest(vain++);
      continue;
    }
    vain = 1;
    for (std::uint64_t i = 0; i < count; i++) {
      const Framed& frame = ring.take();
      const SixFields record{frame.id, frame.count, frame.value, frame.isGood, std::string(frame.name, frame.nameBytes),
                             std::string(frame.city, frame.cityBytes)};
      sum += record.id + record.count + record.value + record.isGood + record.name.size() + record.city.size();
    }
    ring.release();
    left -= count;
  }
  const double ms = nowMs() - start;
  writer.join();
  print(ms, sum);
}
