export const version = 'v1';

export interface Product {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  readonly priceCents: number;
  /** What it cost before. */
  readonly wasCents?: number;
  readonly badge?: string;
}

export const products: readonly Product[] = [
  { id: 'kalimba', name: 'Kalimba', text: 'Seventeen tines on walnut. Plays itself, nearly.', priceCents: 4900 },
  { id: 'metronome', name: 'Metronome', text: 'Wound by hand, 40 to 208. It will not wait for you.', priceCents: 7200 },
  { id: 'melodica', name: 'Melodica', text: 'Thirty-two keys and all the breath you have.', priceCents: 5900 },
  { id: 'tuning-fork', name: 'Tuning fork', text: 'A′ at 440 Hz. Forged once, right for ever.', priceCents: 1400 },
  { id: 'ocarina', name: 'Ocarina', text: 'Stoneware, twelve holes, one long afternoon.', priceCents: 3800 },
  { id: 'music-box', name: 'Music box', text: 'Punch a strip, turn the crank, hear yourself.', priceCents: 3200 },
];
