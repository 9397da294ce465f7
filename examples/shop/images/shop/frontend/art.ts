import { html, type Markup } from './html.ts';

/** The pictures of the shop: flat shapes in the page's own colours (`style.ts`), so that they follow light and dark. */

const kalimba = html`
  <rect x="62" y="34" width="116" height="152" rx="34" fill="var(--wood)"/>
  <circle cx="120" cy="142" r="20" fill="var(--ink)"/>
  <rect x="74" y="76" width="92" height="12" rx="3" fill="var(--ink)"/>
  ${[0, 1, 2, 3, 4, 5, 6, 7, 8].map((at) => {
    const length = 66 - Math.abs(at - 4) * 9;
    return html`<rect x="${79 + at * 9.6}" y="${46}" width="5" height="${length}" rx="2.5" fill="var(--paper)"/>`;
  })}`;

const metronome = html`
  <path d="M96 30h48l38 158H58z" fill="var(--wood)"/>
  <path d="M104 48h32l22 100H82z" fill="var(--paper)"/>
  <rect x="58" y="166" width="124" height="22" rx="4" fill="var(--ink)"/>
  <g class="swing">
    <rect x="117" y="36" width="6" height="120" rx="3" fill="var(--ink)"/>
    <path d="M106 66h28l-5 22h-18z" fill="var(--accent)"/>
  </g>
  <circle cx="120" cy="154" r="8" fill="var(--ink)"/>`;

const melodica = html`
  <rect x="30" y="80" width="172" height="74" rx="14" fill="var(--accent)"/>
  <rect x="42" y="96" width="148" height="58" fill="var(--paper)"/>
  ${[1, 2, 3, 4, 5, 6, 7, 8].map((at) => html`<rect x="${41 + at * 16.4}" y="96" width="2" height="58" fill="var(--ink)"/>`)}
  ${[1, 2, 4, 5, 6, 8].map((at) => html`<rect x="${37 + at * 16.4}" y="96" width="10" height="34" rx="2" fill="var(--ink)"/>`)}
  <path d="M202 116h18q8 0 8-8V92" fill="none" stroke="var(--ink)" stroke-width="10" stroke-linecap="round"/>`;

const tuningFork = html`
  <path d="M88 30v66q0 32 32 32t32-32V30" fill="none" stroke="var(--ink)" stroke-width="14" stroke-linecap="round"/>
  <path d="M120 128v54" stroke="var(--ink)" stroke-width="14" stroke-linecap="round"/>
  <circle cx="120" cy="190" r="11" fill="var(--accent)"/>
  ${[20, 34, 48].map((r) => html`<path d="M${152 + r * 0.6} ${70 - r} q${r * 0.5} ${r} 0 ${r * 2}M${88 - r * 0.6} ${70 - r} q${-r * 0.5} ${r} 0 ${r * 2}" fill="none" stroke="var(--paper)" stroke-width="4" stroke-linecap="round"/>`)}`;

const ocarina = html`
  <path d="M40 128q-6-58 70-66 78-8 92 40 10 44-46 58-104 22-116-32z" fill="var(--accent)"/>
  <path d="M128 64l14-34h32l-6 42z" fill="var(--wood)"/>
  ${[
    [84, 106, 8],
    [106, 98, 7],
    [128, 96, 8],
    [150, 102, 6],
    [92, 132, 6],
    [114, 128, 8],
    [138, 130, 7],
    [168, 116, 5],
  ].map(([x = 0, y = 0, r = 0]) => html`<circle cx="${x}" cy="${y}" r="${r}" fill="var(--ink)"/>`)}`;

const musicBox = html`
  <rect x="44" y="86" width="132" height="92" rx="10" fill="var(--wood)"/>
  <rect x="60" y="102" width="100" height="40" rx="20" fill="var(--paper)"/>
  ${[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((at) => html`<circle cx="${72 + (at % 6) * 15}" cy="${112 + ((at * 7) % 3) * 10}" r="3" fill="var(--ink)"/>`)}
  <path d="M176 122h22v-36" fill="none" stroke="var(--ink)" stroke-width="8" stroke-linecap="round" stroke-linejoin="round"/>
  <circle cx="198" cy="80" r="10" fill="var(--accent)"/>
  <path d="M52 86q8-46 68-46t52 46" fill="none" stroke="var(--paper)" stroke-width="12"/>
  ${[0, 1, 2, 3, 4].map((at) => html`<circle cx="${74 + at * 22}" cy="${58 - Math.sin((at / 4) * Math.PI) * 14}" r="3.4" fill="var(--ink)"/>`)}`;

const glockenspiel = html`
  <path d="M28 66l184 22v30L28 158z" fill="var(--wood)"/>
  ${[0, 1, 2, 3, 4, 5, 6, 7].map((at) => {
    const half = 60 - at * 4.4;
    return html`<rect x="${38 + at * 21}" y="${110 - half}" width="15" height="${half * 2}" rx="4" fill="${at % 3 === 1 ? 'var(--accent)' : 'var(--paper)'}"/>
      <circle cx="${45.5 + at * 21}" cy="${122 - half}" r="2.6" fill="var(--ink)"/><circle cx="${45.5 + at * 21}" cy="${98 + half}" r="2.6" fill="var(--ink)"/>`;
  })}
  <path d="M96 190L186 40" stroke="var(--ink)" stroke-width="6" stroke-linecap="round"/><circle cx="188" cy="36" r="12" fill="var(--ink)"/>`;

const tinWhistle = html`
  <g transform="rotate(-38 120 110) translate(-22 -20) scale(1.18)">
    <rect x="22" y="100" width="176" height="20" rx="6" fill="var(--wood)"/>
    <rect x="22" y="97" width="40" height="26" rx="5" fill="var(--accent)"/>
    <rect x="48" y="103" width="8" height="8" fill="var(--ink)"/>
    ${[0, 1, 2, 3, 4, 5].map((at) => html`<circle cx="${88 + at * 18 + (at > 2 ? 6 : 0)}" cy="110" r="5" fill="var(--ink)"/>`)}
  </g>
  <path d="M160 168q18-8 30 6M170 190q16-6 26 4" fill="none" stroke="var(--paper)" stroke-width="5" stroke-linecap="round"/>`;

const unknown = html`
  <ellipse cx="98" cy="158" rx="34" ry="24" transform="rotate(-20 98 158)" fill="var(--ink)"/>
  <path d="M128 150V46q6 34 44 40" fill="none" stroke="var(--ink)" stroke-width="10" stroke-linecap="round"/>`;

interface Picture {
  readonly shapes: Markup;
  /** One of the tile colours of `style.ts`. */
  readonly tile: 'sun' | 'rose' | 'sea' | 'leaf' | 'dusk';
}

const PICTURES: Readonly<Record<string, Picture>> = {
  kalimba: { shapes: kalimba, tile: 'sea' },
  metronome: { shapes: metronome, tile: 'sun' },
  melodica: { shapes: melodica, tile: 'leaf' },
  'tuning-fork': { shapes: tuningFork, tile: 'rose' },
  ocarina: { shapes: ocarina, tile: 'sun' },
  'music-box': { shapes: musicBox, tile: 'dusk' },
  glockenspiel: { shapes: glockenspiel, tile: 'dusk' },
  'tin-whistle': { shapes: tinWhistle, tile: 'leaf' },
};

export function picture(product: string, name: string): { readonly tile: string; readonly svg: Markup } {
  const { shapes, tile } = PICTURES[product] ?? { shapes: unknown, tile: 'rose' };
  return { tile, svg: html`<svg viewBox="0 0 240 220" role="img" aria-label="${name}">${shapes}</svg>` };
}

/** Where a note sits: from the left in percent, and how many half lines below the top line. */
const MELODY: readonly (readonly [leftPercent: number, halfLine: number, colour: string])[] = [
  [9, 6, 'accent'],
  [20, 5, 'ink'],
  [31, 3, 'ink'],
  [42, 4, 'sea'],
  [53, 1, 'accent'],
  [64, 2, 'ink'],
  [75, 5, 'sun'],
  [86, 7, 'ink'],
];

/** Five lines and a tune that runs over them. */
export const staff = html`<svg class="staff" viewBox="0 0 1000 220" preserveAspectRatio="none" aria-hidden="true">
  ${[0, 1, 2, 3, 4].map((line) => html`<path d="M0 ${50 + line * 28}H1000" stroke="var(--line)" stroke-width="2"/>`)}
</svg>
<div class="notes" aria-hidden="true">
  ${MELODY.map(
    ([left, half, colour], at) =>
      html`<svg class="note" style="left:${left}%;--drop:${half};--at:${at}" viewBox="0 0 60 110"><ellipse cx="22" cy="92" rx="20" ry="14" transform="rotate(-22 22 92)" fill="var(--${colour})"/><path d="M40 86V8" stroke="var(--${colour})" stroke-width="5" stroke-linecap="round"/></svg>`,
  )}
</div>`;

/** A fermata: hold, as long as you like. */
export const mark = html`<svg class="mark" viewBox="0 0 48 48" aria-hidden="true"><path d="M6 34a18 18 0 0 1 36 0" fill="none" stroke="currentColor" stroke-width="6" stroke-linecap="round"/><circle cx="24" cy="34" r="5" fill="var(--accent)"/></svg>`;
