// Drawing rows so that neither their order nor repeats against weights show in what is drawn.
//
// Rows are drawn by inverse CDF over their canonical order: by key, equal keys as they were
// given. The rows are cut into blocks that follow each other in that order; only blocks that a
// draw falls into are sorted, so a draw costs about the root of the number of rows. Masses are
// whole numbers: their sums are exact, so how the rows are cut never shows.
#pragma once
#include "masses.hpp"

namespace LEVEL {

constexpr int64_t kOneBlock = 1024;   // rows below which cutting costs more than it saves
constexpr int64_t kMostOrdered = 4096;  // blocks: 16 steps of the keys each, counted in 16 bits

// Sort rows by key; equal keys stay as they are. The buffer has room for half of them.
inline void sort_rows(int64_t* rows, int64_t n, const double* keys, int64_t* buffer) {
  if (n <= 24) {  // by insertion; twice or half as many take as long
    for (int64_t m = 1; m < n; m++) {
      int64_t row = rows[m], place = m;
      double key = keys[row];
      for (; place > 0 && keys[rows[place - 1]] > key; place--) rows[place] = rows[place - 1];
      rows[place] = row;
    }
    return;
  }
  int64_t half = n / 2;
  sort_rows(rows, half, keys, buffer);
  sort_rows(rows + half, n - half, keys, buffer);
  if (!(keys[rows[half]] < keys[rows[half - 1]])) return;
  std::memcpy(buffer, rows, size_t(half) * sizeof *rows);
  for (int64_t left = 0, right = half, to = 0; left < half; to++) {
    bool take_right = right < n && keys[rows[right]] < keys[buffer[left]];
    rows[to] = take_right ? rows[right++] : buffer[left++];
  }
}

struct Order {
  const double* keys;
  int64_t n, n_blocks;
  uint16_t* block_of;  // (n,)
  int64_t* starts;     // (n_blocks + 1,): of each block within the rows
  bool* in_order;      // (n_blocks,)
  int64_t *rows, *buffer;  // block by block; half as many

  void prepare(const double* of_rows, int64_t n_rows) {
    keys = of_rows;
    n = n_rows;
    int64_t wanted = int64_t(6.0 * __builtin_sqrt(double(n)));
    n_blocks = n < kOneBlock ? 1 : minimum(wanted, kMostOrdered);
  }
  void take_tables(Cutter& cutter) {
    block_of = cutter.take<uint16_t>(n);
    starts = cutter.take<int64_t>(n_blocks + 1);
    in_order = cutter.take<bool>(n_blocks);
  }

  // Fill in the block of each row and the starts: equal steps between the keys, of which about
  // sixteen make a block; keys far out all fall into the first or the last. False: no memory.
  bool cut() {
    for (int64_t b = 0; b < n_blocks; b++) in_order[b] = false;
    starts[0] = 0;
    if (n_blocks == 1) {
      std::memset(block_of, 0, size_t(n) * sizeof *block_of);
      starts[1] = n;
      return true;
    }
    int64_t n_steps = 16 * n_blocks, stride = (n + 4095) / 4096;
    int64_t n_sample = (n + stride - 1) / stride, before = 0, block = 0;
    Memory memory(size_t(n_sample + n_steps) * 16);
    if (!memory) return false;
    int64_t* sample = (int64_t*)memory.begin();
    int64_t *sizes = sample + 2 * n_sample, *block_of_step = sizes + n_steps;
    for (int64_t s = 0; s < n_sample; s++) sample[s] = s * stride;
    sort_rows(sample, n_sample, keys, sample + n_sample);
    double low = keys[sample[n_sample / 256]], high = keys[sample[n_sample - 1 - n_sample / 256]];
    double per_step = high > low ? double(n_steps) / (high - low) : 1.0;
    std::memset(sizes, 0, size_t(n_steps) * sizeof *sizes);
    for (int64_t i = 0; i < n; i++) {  // steps, until the blocks are known
      double step = (keys[i] - low) * per_step;
      block_of[i] = uint16_t(step > 0.0 ? minimum(step, double(n_steps - 1)) : 0.0);
    }
    for (int64_t i = 0; i < n; i++) sizes[block_of[i]]++;
    for (int64_t step = 0; step < n_steps; step++) {
      while (block + 1 < n_blocks && before >= (block + 1) * n / n_blocks)
        starts[++block] = before;
      block_of_step[step] = block;
      before += sizes[step];
    }
    while (block < n_blocks) starts[++block] = n;
    for (int64_t i = 0; i < n; i++) block_of[i] = uint16_t(block_of_step[block_of[i]]);
    return true;
  }

  // Leave blocks empty that are not wanted.
  void keep(const bool* wanted) {
    int64_t before = 0, start = 0;
    for (int64_t b = 0; b < n_blocks; b++) {
      int64_t size = starts[b + 1] - start;
      start = starts[b + 1];
      starts[b] = before;
      before += wanted[b] ? size : 0;
    }
    starts[n_blocks] = before;
  }

  // List the rows of the wanted blocks (null: all). `starts` serves as the place to go on at.
  void list(const bool* wanted) {
    for (int64_t i = 0; i < n; i++)
      if (!wanted || wanted[block_of[i]]) rows[starts[block_of[i]]++] = i;
    for (int64_t b = n_blocks; b > 0; b--) starts[b] = starts[b - 1];
    starts[0] = 0;
  }

  // Bring a block into order. True at its first call.
  bool sort(int64_t b) {
    if (in_order[b]) return false;
    sort_rows(rows + starts[b], starts[b + 1] - starts[b], keys, buffer);
    return in_order[b] = true;
  }
};

// Rows with a probability proportional to their mass (null: one each).
inline Status draw(const Call&, const double* keys, const double* mass, int64_t n,
                   const double* uniforms, int64_t n_draws, int64_t* drawn) {
  Order order;
  order.prepare(keys, n);
  bool* wanted = nullptr;
  uint64_t* below = nullptr;
  auto take = [&](Cutter cutter) {
    order.take_tables(cutter);
    wanted = cutter.take<bool>(order.n_blocks);
    below = cutter.take<uint64_t>(order.n_blocks);
    return cutter.used();
  };
  Memory tables(take(Cutter(nullptr)));
  if (!tables) return core::no_memory;
  take(Cutter(tables.begin()));
  if (!order.cut()) return core::no_memory;
  double sum = 0.0;
  for (int64_t i = 0; mass && i < n; i++) sum += mass[i];
  Scale scale(sum);
  auto mass_of = [&](int64_t i) { return mass ? scale.whole(mass[i]) : 1; };
  for (int64_t b = 0; b < order.n_blocks; b++) wanted[b] = false, below[b] = 0;
  for (int64_t i = 0; i < n; i++) below[order.block_of[i]] += mass_of(i);
  for (int64_t b = 1; b < order.n_blocks; b++) below[b] += below[b - 1];
  uint64_t total = below[order.n_blocks - 1];
  for (int64_t t = 0; t < n_draws; t++) {
    drawn[t] = place_above(below, order.n_blocks, target_of(uniforms[t], total));  // the block
    wanted[drawn[t]] = true;
  }
  order.keep(wanted);
  int64_t n_listed = order.starts[order.n_blocks];
  Memory memory(size_t(n_listed) * 20 + 64);
  if (!memory) return core::no_memory;
  order.rows = (int64_t*)memory.begin();
  uint64_t* cumulative = (uint64_t*)order.rows + n_listed;
  order.buffer = order.rows + 2 * n_listed;
  order.list(wanted);
  for (int64_t t = 0; t < n_draws; t++) {
    int64_t b = drawn[t], start = order.starts[b], size = order.starts[b + 1] - start;
    if (order.sort(b)) {
      uint64_t so_far = b ? below[b - 1] : 0;
      for (int64_t m = start; m < start + size; m++)
        cumulative[m] = so_far += mass_of(order.rows[m]);
    }
    uint64_t target = target_of(uniforms[t], total);
    drawn[t] = size ? order.rows[start + place_above(cumulative + start, size, target)] : 0;
  }
  return core::ok;
}

}  // namespace LEVEL
