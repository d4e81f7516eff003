// What the shapes in C++ share: the ring, the clock, and how a thread waits.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

constexpr std::size_t LINE = 128;

inline double nowMs() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// After so many looks in vain a thread naps for 50 microseconds, as ours do: another may need the core.
inline void rest(unsigned vain) {
  if (vain % 2000 == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
#if defined(__x86_64__)
  else __builtin_ia32_pause();
#endif
}

/// A ring of one writer and one reader. Records are written and read in place; positions are published by the batch.
template <typename T, std::size_t CAPACITY>
class Ring {
  static_assert((CAPACITY & (CAPACITY - 1)) == 0, "a power of two");

 public:
  /// Slots that may be written from `tail` on; at least `least`, waiting for them.
  void room(std::uint64_t least) {
    for (unsigned vain = 1; written_ + least - headSeen_ > CAPACITY; vain++) {
      headSeen_ = head_.load(std::memory_order_acquire);
      if (written_ + least - headSeen_ > CAPACITY) rest(vain);
    }
  }
  T& next() { return slots_[written_++ & (CAPACITY - 1)]; }
  void publish() { tail_.store(written_, std::memory_order_release); }

  /// Records that may be read, at most `most`; 0 where there are none.
  std::uint64_t ready(std::uint64_t most) {
    if (tailSeen_ == read_) tailSeen_ = tail_.load(std::memory_order_acquire);
    std::uint64_t count = tailSeen_ - read_;
    return count < most ? count : most;
  }
  const T& take() { return slots_[read_++ & (CAPACITY - 1)]; }
  void release() { head_.store(read_, std::memory_order_release); }

 private:
  alignas(LINE) std::atomic<std::uint64_t> tail_{0};
  std::uint64_t written_ = 0;
  std::uint64_t headSeen_ = 0;
  alignas(LINE) std::atomic<std::uint64_t> head_{0};
  std::uint64_t read_ = 0;
  std::uint64_t tailSeen_ = 0;
  alignas(LINE) T slots_[CAPACITY];
};

/// The outcome, as `native.ts` reads it.
inline void print(double ms, double sum) { std::printf("%.6f %.1f\n", ms, sum); }
