// latency ROUND_TRIPS hot|parked: ping-pong between two threads that look all the time, or that wait on a condition.
// Prints the median round trip times the number of round trips.
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include "shape.hpp"

struct alignas(LINE) Side {
  std::atomic<std::int64_t> ball{-1};
  std::mutex mutex;
  std::condition_variable arrived;

  void send(std::int64_t id, bool parks) {
    if (!parks) {
      ball.store(id, std::memory_order_release);
      return;
    }
    {
      std::lock_guard<std::mutex> lock(mutex);
      ball.store(id, std::memory_order_release);
    }
    arrived.notify_one();
  }

  std::int64_t receive(std::int64_t id, bool parks) {
    if (parks) {
      std::unique_lock<std::mutex> lock(mutex);
      arrived.wait(lock, [&] { return ball.load(std::memory_order_acquire) == id; });
    } else {
      for (unsigned vain = 1; ball.load(std::memory_order_acquire) != id; vain++) rest(vain);
    }
    return ball.load(std::memory_order_relaxed);
  }
};
static Side there, back;

int main(int, char** arguments) {
  const std::int64_t trips = std::strtoll(arguments[1], nullptr, 10);
  const bool parks = std::string(arguments[2]) == "parked";
  std::thread pong([&] {
    for (std::int64_t id = 0; id < trips; id++) back.send(there.receive(id, parks), parks);
  });
  double sum = 0;
  std::vector<double> times;
  times.reserve(trips);
  for (std::int64_t id = 0; id < trips; id++) {
    const double start = nowMs();
    there.send(id, parks);
    sum += back.receive(id, parks);
    times.push_back(nowMs() - start);
  }
  pong.join();
  std::nth_element(times.begin(), times.begin() + trips / 2, times.end());
  print(times[trips / 2] * trips, sum);
}
