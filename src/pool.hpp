// The threads of one call: started when it begins, joined when it ends.
//
// Nothing outlives the call, so there is nothing to lose in a fork. A call may have several
// rounds of blocks; threads that wait for the next one look again, then give their core away,
// then sleep for a moment: rounds follow each other within microseconds.
#pragma once
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <new>

#include "core.hpp"
#if defined(_WIN32)
#include <windows.h>
#else
#include <pthread.h>
#include <sched.h>
#endif

namespace LEVEL {

// Multiply-adds that a thread must have to do, or starting it (about 20 microseconds) costs more
// than it saves. Half and twice as many are within the noise on two cores.
constexpr int64_t kLeastWork = 1 << 19;

// Memory that starts at a line of the cache; null if there is none to be had.
class Memory {
 public:
  explicit Memory(size_t bytes) {
    // One line more: vectors may read past the last value.
    start_ = bytes < SIZE_MAX / 2 ? std::malloc(bytes + 192) : nullptr;
  }
  ~Memory() { std::free(start_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  explicit operator bool() const { return start_ != nullptr; }
  char* begin() const { return (char*)(((uintptr_t)start_ + 63) & ~uintptr_t(63)); }

 private:
  void* start_;
};

// A `Memory` at a given place, for state that is no object of a function.
inline Memory* new_memory(void* place, size_t bytes) { return new (place) Memory(bytes); }

// Cuts a piece of memory into arrays, each at a line of the cache of its own. With no memory at
// hand it adds up how much is needed.
class Cutter {
 public:
  explicit Cutter(char* memory) : memory_(memory) {}
  template <class T>
  T* take(int64_t count) {
    char* here = memory_ ? memory_ + used_ : nullptr;
    used_ += (size_t(count) * sizeof(T) + 127) & ~size_t(63);
    return (T*)here;
  }
  size_t used() const { return used_; }

 private:
  char* memory_;
  size_t used_ = 0;
};

// What each thread of a call has to itself: a struct `S` with a member `cut(Cutter&)`.
template <class S>
class Scratch {
 public:
  // In memory of its own...
  template <class... Sizes>
  Scratch(int n_threads, const Sizes&... sizes)
      : size_(size_of_each(sizes...)), memory_(size_ * size_t(n_threads)) {
    start_ = memory_ ? memory_.begin() : nullptr;
    cut(n_threads, sizes...);
  }
  // ...or in that which there is, `size_of_each` for each thread.
  template <class... Sizes>
  Scratch(char* memory, int n_threads, const Sizes&... sizes)
      : size_(size_of_each(sizes...)), memory_(0), start_(memory) {
    cut(n_threads, sizes...);
  }
  explicit operator bool() const { return start_ != nullptr; }
  S& of(int thread) { return *(S*)(void*)(start_ + size_ * size_t(thread)); }

  template <class... Sizes>
  static size_t size_of_each(const Sizes&... sizes) {
    S nothing;
    Cutter cutter(nullptr);
    cutter.take<S>(1);
    nothing.cut(cutter, sizes...);
    return cutter.used();
  }

 private:
  template <class... Sizes>
  void cut(int n_threads, const Sizes&... sizes) {
    for (int t = 0; start_ && t < n_threads; t++) {
      Cutter cutter(start_ + size_ * size_t(t));
      cutter.take<S>(1)->cut(cutter, sizes...);
    }
  }

  size_t size_;
  Memory memory_;
  char* start_;
};

class Pool {
 public:
  // As many threads as the call may use and the work, in multiply-adds, is worth.
  Pool(const core::Call& call, double work, int64_t most_blocks = INT64_MAX) : call_(call) {
    int64_t least = call.options->least_work ? call.options->least_work : kLeastWork;
    double worth = work / double(least);
    int64_t n = worth < double(call.n_threads) ? int64_t(worth) : call.n_threads;
    n = n < most_blocks ? n : most_blocks;
    n_threads_ = int(n < 1 ? 1 : n > kMost ? kMost : n);
    begun_ = now();
  }
  ~Pool() {
    if (!n_started_) return;
    quit_.store(true, std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    for (int t = 0; t < n_started_; t++) join(t);
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int n_threads() const { return n_threads_; }
  bool interrupted() const { return stop_.load(std::memory_order_relaxed); }
  // Whether to go on: for the body of a block that takes long to ask in between.
  bool goes_on(int thread) { return thread == 0 ? go_on() : !interrupted(); }

  // Call f(block, thread) for every block, each once, in turn; thread 0 is the caller. False if
  // the call is to end: then some blocks have not been done.
  template <class F>
  bool for_blocks(int64_t n_blocks, F f) {
    if (interrupted()) return false;
    if (n_threads_ == 1 || n_blocks == 1) {
      for (int64_t b = 0; b < n_blocks; b++) {
        f(b, 0);
        if (!go_on()) return false;
      }
      return true;
    }
    start_threads();
    n_blocks_ = n_blocks;
    body_ = [](void* closure, int64_t block, int thread) { (*(F*)closure)(block, thread); };
    closure_ = (void*)&f;
    next_.store(0, std::memory_order_relaxed);
    busy_.store(n_started_, std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    work(0);
    for (Patience patience; busy_.load(std::memory_order_acquire);) {
      patience.wait();
      if (patience.sleeps()) go_on();
    }
    return !interrupted();
  }

 private:
  static constexpr int kMost = 256;

  // Waiting without a lock: a look or two, then the core for others, then sleep.
  struct Patience {
    int n_looks = 0;
    bool sleeps() const { return n_looks >= 2048; }
    void wait() {
      if (++n_looks < 128) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
        return;
      }
#if defined(_WIN32)
      sleeps() ? Sleep(1) : (void)SwitchToThread();
#else
      if (!sleeps()) {
        sched_yield();
      } else {
        timespec a_moment = {0, 50000};
        nanosleep(&a_moment, nullptr);
      }
#endif
    }
  };

  static double now() {
    timespec time;
    timespec_get(&time, TIME_UTC);
    return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
  }

  // Whether the calling thread has not been told to stop; asked every tenth of a second.
  bool go_on() {
    if (interrupted()) return false;
    double time = now();
    if (time - begun_ < 0.1 && time >= begun_) return true;
    begun_ = time;
    if (call_.poll()) return true;
    stop_.store(true, std::memory_order_relaxed);
    return false;
  }

  void work(int thread) {
    while (!interrupted()) {
      int64_t block = next_.fetch_add(1, std::memory_order_relaxed);
      if (block >= n_blocks_) return;
      body_(closure_, block, thread);
      if (thread == 0 && !go_on()) return;
    }
  }

  void serve(int thread) {
    for (uint32_t seen = 0;;) {
      uint32_t round;
      for (Patience patience; (round = round_.load(std::memory_order_acquire)) == seen;)
        patience.wait();
      seen = round;
      if (quit_.load(std::memory_order_relaxed)) return;
      work(thread);
      busy_.fetch_sub(1, std::memory_order_release);
    }
  }

  struct Start {
    Pool* pool;
    int thread;
  };

#if defined(_WIN32)
  static DWORD WINAPI run(void* start) {
    ((Start*)start)->pool->serve(((Start*)start)->thread);
    return 0;
  }
  bool start(int t) {
    handles_[t] = CreateThread(nullptr, 0, run, &starts_[t], 0, nullptr);
    return handles_[t] != nullptr;
  }
  void join(int t) {
    WaitForSingleObject(handles_[t], INFINITE);
    CloseHandle(handles_[t]);
  }
  HANDLE handles_[kMost];
#else
  static void* run(void* start) {
    ((Start*)start)->pool->serve(((Start*)start)->thread);
    return nullptr;
  }
  bool start(int t) { return pthread_create(&handles_[t], nullptr, run, &starts_[t]) == 0; }
  void join(int t) { pthread_join(handles_[t], nullptr); }
  pthread_t handles_[kMost];
#endif

  // At the first round that is shared out. Fewer than wanted will do.
  void start_threads() {
    if (tried_) return;
    tried_ = true;
    for (int t = 0; t + 1 < n_threads_; t++) {
      starts_[t] = {this, t + 1};
      if (!start(t)) break;
      n_started_++;
    }
  }

  const core::Call& call_;
  int n_threads_, n_started_ = 0;
  bool tried_ = false;
  double begun_;
  Start starts_[kMost];
  int64_t n_blocks_ = 0;
  void (*body_)(void*, int64_t, int) = nullptr;
  void* closure_ = nullptr;
  alignas(64) std::atomic<uint32_t> round_{0};
  std::atomic<bool> quit_{false}, stop_{false};
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<int> busy_{0};
};

// Lets blocks add to one result in the order of their numbers: each waits for its turn. They are
// begun in that order, so none waits for longer than others are still at work.
class Turns {
 public:
  template <class F>
  void in_turn(int64_t block, const Pool& pool, F add) {
    for (int n_looks = 0; turn_.load(std::memory_order_acquire) != block; n_looks++) {
      if (pool.interrupted()) return;
#if defined(_WIN32)
      if (n_looks > 64) SwitchToThread();
#else
      if (n_looks > 64) sched_yield();
#endif
    }
    add();
    turn_.store(block + 1, std::memory_order_release);
  }

 private:
  std::atomic<int64_t> turn_{0};
};

// Rows of a block: so many that a block has about 2^16 values, by the shape of X alone, so that
// the order of sums depends on nothing else. More cost memory for each thread; fewer, time to
// share them out.
inline int64_t rows_of_block(const core::Call& call, const core::Rows& rows, int64_t n) {
  if (call.options->block_rows) return call.options->block_rows;
  int64_t wide = rows.sparse ? 64 : rows.d;
  int64_t wanted = (int64_t(1) << 16) / (wide < 1 ? 1 : wide) / 64 * 64;
  wanted = wanted < 256 ? 256 : wanted > 8192 ? 8192 : wanted;
  return wanted < n ? wanted : (n < 1 ? 1 : n);
}

// n rows cut into blocks of that size.
struct Blocks {
  Blocks(const core::Call& call, const core::Rows& rows, int64_t n_rows)
      : n(n_rows), size(rows_of_block(call, rows, n_rows)), count((n + size - 1) / size) {}
  int64_t start(int64_t block) const { return block * size; }
  int64_t stop(int64_t block) const { return block + 1 < count ? (block + 1) * size : n; }
  const int64_t n, size, count;
};

}  // namespace LEVEL
