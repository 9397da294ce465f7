import { huffmanCodes } from './huffman-code.ts';

// The code's tree walked four bits at a time. A state is an inner node; a step is packed into one number:
// the next state, the symbol that was completed on the way (no code is shorter than five bits, so it is one at most), and flags.
const SYMBOL_SHIFT = 12;
const EMITS = 1 << 20;
const BROKEN = 1 << 21;
const STATE_MASK = (1 << SYMBOL_SHIFT) - 1;
const END_OF_STRING = 256;

interface Automaton {
  /** 16 steps a state. */
  readonly steps: Int32Array;
  /** Whether a string may end in this state: at most seven bits into the end of string's code, which are all ones. */
  readonly accepts: Uint8Array;
}

let automaton: Automaton | undefined;

/** Built when the first Huffman string comes: 256 states, a few hundred microseconds. */
function theAutomaton(): Automaton {
  automaton ??= buildAutomaton();
  return automaton;
}

function buildAutomaton(): Automaton {
  // Children of inner nodes: non-negative is an inner node, below that a leaf's symbol as -1 - symbol.
  const children: [number, number][] = [[0, 0]];
  const padding = new Set([0]);
  huffmanCodes().forEach(({ bits, length }, symbol) => {
    let node = 0;
    for (let bit = length - 1; bit >= 0; bit--) {
      const side = Math.floor(bits / 2 ** bit) % 2 === 0 ? 0 : 1;
      const pair = children[node] ?? [0, 0];
      if (bit === 0) pair[side] = -1 - symbol;
      else {
        if (pair[side] === 0) pair[side] = children.push([0, 0]) - 1;
        node = pair[side];
        if (symbol === END_OF_STRING && length - bit <= 7) padding.add(node);
      }
    }
  });
  const steps = new Int32Array(children.length * 16);
  for (let state = 0; state < children.length; state++) {
    for (let nibble = 0; nibble < 16; nibble++) steps[state * 16 + nibble] = step(children, state, nibble);
  }
  return { steps, accepts: Uint8Array.from(children, (_, state) => (padding.has(state) ? 1 : 0)) };
}

function step(children: readonly (readonly [number, number])[], state: number, nibble: number): number {
  let node = state;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next = children[node]?.[(nibble >> bit) & 1 ? 1 : 0] ?? 0;
    if (next >= 0) node = next;
    else {
      const symbol = -1 - next;
      // RFC 7541 section 5.2: the end of string within a string is an error.
      if (symbol === END_OF_STRING) return BROKEN;
      emitted = EMITS | (symbol << SYMBOL_SHIFT);
      node = 0;
    }
  }
  return emitted | node;
}

// No string grows to more than 8/5 of its coded length, and no header block is longer than the session lets it be.
let scratch = Buffer.allocUnsafeSlow(4096);

/** Decodes from[start, end), or undefined when it is no Huffman string. */
export function decodeHuffman(from: Buffer, start: number, end: number): string | undefined {
  const { steps, accepts } = theAutomaton();
  const most = Math.ceil(((end - start) * 8) / 5);
  if (scratch.length < most) scratch = Buffer.allocUnsafeSlow(most);
  let state = 0;
  let length = 0;
  for (let at = start; at < end; at++) {
    const byte = from[at] ?? 0;
    const high = steps[state * 16 + (byte >> 4)] ?? BROKEN;
    if ((high & BROKEN) !== 0) return undefined;
    if ((high & EMITS) !== 0) scratch[length++] = (high >> SYMBOL_SHIFT) & 0xff;
    const low = steps[(high & STATE_MASK) * 16 + (byte & 15)] ?? BROKEN;
    if ((low & BROKEN) !== 0) return undefined;
    if ((low & EMITS) !== 0) scratch[length++] = (low >> SYMBOL_SHIFT) & 0xff;
    state = low & STATE_MASK;
  }
  return accepts[state] === 1 ? scratch.toString('latin1', 0, length) : undefined;
}
