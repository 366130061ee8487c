// ReLU of f32 in WebAssembly and JavaScript: rectify, plain loops in Rust, and a plain loop over a Float32Array, in turns in one process.
// Prints a table in Markdown: times relative to rectify's.
// usage: node measure.js WASM [MAX_ELEMENTS]        benches/wasm/run builds WASM
'use strict';
const { readFileSync } = require('node:fs');
const { cpus } = require('node:os');

const [path, maxElements = 1 << 22] = process.argv.slice(2);
const { exports: wasm } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path)), {});
const x = wasm.slice(0, Number(maxElements));
const y = wasm.slice(1, Number(maxElements));
const view = (address, len) => new Float32Array(wasm.memory.buffer, address, len);

function inplace(y) {
  for (let i = 0; i < y.length; i++) y[i] = y[i] > 0 ? y[i] : 0;
}
function outOfPlace(x, y) {
  for (let i = 0; i < y.length; i++) y[i] = x[i] > 0 ? x[i] : 0;
}

// Of `run` of src/lib.rs, rectify first; the last one is JavaScript's.
const METHODS = { relu_inplace: [0, 1, 2], relu: [3, 4, 5] };
function call(way, method, len, calls) {
  const ways = METHODS[method];
  if (way < ways.length) return wasm.run(ways[way], len, calls);
  const [from, to] = [view(x, len), view(y, len)];
  for (let i = 0; i < calls; i++) method === 'relu' ? outOfPlace(from, to) : inplace(to);
}

function nsPerCall(way, method, len, calls) {
  // After a slow way the slices are no longer in the caches, where others use them too.
  call(way, method, len, 1);
  const start = process.hrtime.bigint();
  call(way, method, len, calls);
  return Number(process.hrtime.bigint() - start) / calls;
}

// Random signs, from a fixed seed (xorshift32).
const numbers = view(x, Number(maxElements));
let state = 1969;
for (let i = 0; i < numbers.length; i++) {
  state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
  numbers[i] = state / 2 ** 31;
}
const expected = numbers.map(x => (x > 0 ? x : 0));

function times(method, len) {
  const ways = [...METHODS[method].keys(), METHODS[method].length];
  for (const way of ways) {
    view(y, len).set(numbers.subarray(0, len));
    call(way, method, len, 1);
    if (!view(y, len).every((y, i) => Object.is(y, expected[i]))) throw Error(`${method}, ${len} elements: a wrong result, way ${way}`);
  }
  let calls = 1;
  // The first calls also have the loops compiled by the optimizing compilers.
  while (Math.min(...ways.slice(1).map(way => calls * nsPerCall(way, method, len, calls))) < 300_000) calls *= 2;
  const rounds = Array.from({ length: 21 }, () => ways.map(way => nsPerCall(way, method, len, calls)));
  return ways.map(way => rounds.map(round => round[way]).sort((a, b) => a - b)[rounds.length >> 2]);
}

console.log(`${cpus()[0].model.trim()}, node ${process.versions.node}, ${wasm.isa() ? 'portable (simd128)' : 'scalar'}\n`);
console.log('| | elements | ns | `x.max(0.0)` | `if x > 0.0` | JavaScript |\n| --- | --- | --- | --- | --- | --- |');
for (const method in METHODS) {
  for (let len = 16; len <= maxElements; len *= 4) {
    const [ns, ...others] = times(method, len);
    console.log(`| \`${method}\` | ${len} | ${ns.toPrecision(3)} | ${others.map(other => (other / ns).toFixed(2)).join(' | ')} |`);
  }
}
