export interface Review {
  readonly product: string;
  readonly author: string;
  readonly stars: 1 | 2 | 3 | 4 | 5;
  readonly text: string;
}

/** Newest first. */
export const reviews: readonly Review[] = [
  {
    product: 'kalimba',
    author: 'Noor',
    stars: 5,
    text: 'My bus stop has become a concert hall. Nobody has complained yet.',
  },
  { product: 'kalimba', author: 'Tomasz', stars: 4, text: 'Out of tune in the cold, like me.' },
  { product: 'kalimba', author: 'Ana', stars: 5, text: 'Fits in a coat pocket and in every kitchen.' },
  { product: 'metronome', author: 'Ingrid', stars: 5, text: 'It is never wrong. I have come to terms with that.' },
  { product: 'metronome', author: 'Luca', stars: 4, text: 'Ticks louder than my neighbour practises.' },
  { product: 'melodica', author: 'Femi', stars: 5, text: 'A piano you can breathe through. What more is there?' },
  { product: 'melodica', author: 'Sofie', stars: 3, text: 'Lovely tone; my cat does not agree.' },
  { product: 'tuning-fork', author: 'Ravi', stars: 5, text: '440, today, tomorrow and in a hundred years.' },
  {
    product: 'tuning-fork',
    author: 'Elsa',
    stars: 5,
    text: 'The only thing in the house that is always right about A.',
  },
  { product: 'ocarina', author: 'Jun', stars: 4, text: 'Small as an egg, loud as a goose.' },
  {
    product: 'music-box',
    author: 'Mireille',
    stars: 5,
    text: 'I punched in my own waltz. It is not good, but it is mine.',
  },
  { product: 'music-box', author: 'Piet', stars: 4, text: 'Turn the crank slowly: everything becomes a lullaby.' },
  { product: 'glockenspiel', author: 'Hanne', stars: 5, text: 'Twenty-five bars of winter light.' },
];
