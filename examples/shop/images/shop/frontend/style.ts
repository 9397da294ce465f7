/** The page's look: paper and ink, one loud red; at night the paper turns to ink. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #fbf5e9; --ink: #1d1b33; --back: #f3e9d6; --card: #fbf5e9; --text: #1d1b33; --soft: #5d5a72; --line: #1d1b3322; --accent: #e2492f;
  --wood: #b9783f; --sun: #f2b233; --rose: #eba7a0; --sea: #3f8f9b; --leaf: #8cae68; --dusk: #7d7bb5;
  --shadow: 0 1px 0 #1d1b3318, 0 18px 40px -24px #1d1b3366;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "URW Palladio L", "P052", Georgia, serif;
  --sans: ui-sans-serif, "Avenir Next", Avenir, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #15142a; --card: #211f38; --text: #f6efdf; --soft: #aaa6c2; --line: #fbf5e924;
    --shadow: 0 1px 0 #0006, 0 22px 44px -24px #000c; --accent: #ff6a4d; --sea: #4aa5b2; --sun: #f5bd4c; --dusk: #8a88c8;
  }
}
* { box-sizing: border-box; margin: 0; }
html { scroll-behavior: smooth; }
body { background: var(--back); color: var(--text); font: 16px/1.55 var(--sans); -webkit-font-smoothing: antialiased; }
.wrap { width: min(1160px, 100% - 2.5rem); margin-inline: auto; }
a { color: inherit; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: 6px; }

.banner { background: var(--ink); color: #fbf5e9; text-align: center; font-size: .875rem; padding: .55rem 1rem; letter-spacing: .02em; }
@media (prefers-color-scheme: dark) { .banner { background: var(--accent); color: #1d1b33; font-weight: 600; } }

header { display: flex; align-items: center; gap: 1rem; padding-block: 1.4rem; }
.logo { display: flex; align-items: center; gap: .6rem; text-decoration: none; font: 700 1.5rem/1 var(--serif); letter-spacing: -.01em; white-space: nowrap; }
.mark { width: 2.1rem; }
.version { display: inline-flex; align-items: center; gap: .5rem; border: 1.5px solid; border-radius: 99px; padding: .2rem .75rem .2rem .6rem; font: 600 .78rem/1.5 var(--mono); color: var(--sea); white-space: nowrap; }
.version i { font-style: normal; }
@media (max-width: 480px) { .version i { display: none; } header { gap: .7rem; } }
.version::before { content: ""; width: .55rem; height: .55rem; border-radius: 50%; background: currentColor; }
.version.v2 { color: var(--accent); }
.version.down { color: var(--soft); border-style: dashed; }
.cart { margin-left: auto; position: relative; }
.cart summary { list-style: none; cursor: pointer; display: flex; align-items: center; gap: .6rem; border-radius: 99px; padding: .5rem .55rem .5rem 1.1rem; background: var(--card); box-shadow: var(--shadow); font-weight: 600; }
.cart summary::-webkit-details-marker { display: none; }
.count { display: grid; place-items: center; min-width: 1.8rem; height: 1.8rem; padding: 0 .4rem; border-radius: 99px; background: var(--accent); color: #fff; font: 700 .85rem/1 var(--mono); }
.count.bump { animation: bump .45s cubic-bezier(.2,1.8,.4,1); }
@keyframes bump { 40% { transform: scale(1.45) rotate(-8deg); } }
.panel { position: absolute; z-index: 3; right: 0; top: calc(100% + .6rem); width: min(21rem, 86vw); background: var(--card); border-radius: 18px; box-shadow: var(--shadow), 0 0 0 1px var(--line); padding: 1.1rem 1.25rem; }
.panel ul { list-style: none; padding: 0; }
.panel li { display: flex; gap: .7rem; padding: .45rem 0; border-bottom: 1px solid var(--line); }
.panel li span:last-child { margin-left: auto; font-variant-numeric: tabular-nums; }
.panel .total { display: flex; justify-content: space-between; font-weight: 700; padding-top: .7rem; }
.panel .quiet { color: var(--soft); }

.hero { position: relative; padding-block: clamp(1.6rem, 4vw, 2.8rem) clamp(10rem, 18vw, 12.5rem); overflow: hidden; }
.hero h1 { font: 700 clamp(2.6rem, 7.4vw, 5.6rem)/.98 var(--serif); letter-spacing: -.035em; max-width: 20ch; text-wrap: balance; }
.hero h1 em { color: var(--accent); }
.hero p { margin-top: 1.2rem; max-width: 34rem; font-size: 1.14rem; color: var(--soft); }
.staff { position: absolute; left: 0; bottom: 0; width: 100%; height: 11rem; }
.notes { position: absolute; inset: auto 0 0 0; height: 11rem; width: min(1160px, 100%); margin-inline: auto; }
.note { position: absolute; width: 2.35rem; top: calc(2.5rem + var(--drop) * .7rem - 3.62rem); animation: drop .7s cubic-bezier(.2,1.3,.5,1) backwards; animation-delay: calc(var(--at) * 70ms); }
@keyframes drop { from { transform: translateY(-3rem); opacity: 0; } }
@media (max-width: 640px) { .note:nth-child(even) { display: none; } }
@media (prefers-color-scheme: dark) { .notes { --ink: #f6efdf; } .mark { --ink: #f6efdf; } }

main { padding-block: 1rem 4rem; }
.shelf { display: flex; align-items: baseline; gap: 1rem; padding-block: 2.4rem 1.4rem; }
.shelf h2 { font: 700 clamp(1.6rem, 3vw, 2.1rem)/1.1 var(--serif); letter-spacing: -.02em; }
.shelf span { color: var(--soft); }
.grid { display: grid; gap: 1.6rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19.5rem), 1fr)); padding: 0; list-style: none; }
.card { position: relative; display: flex; flex-direction: column; background: var(--card); border-radius: 22px; overflow: hidden; box-shadow: var(--shadow); transition: transform .25s ease; }
.card:hover { transform: translateY(-4px); }
.tile { --bg: var(--sun); background: var(--bg); aspect-ratio: 12 / 9; display: grid; place-items: center; overflow: hidden; }
.tile.sun { --bg: var(--sun); } .tile.rose { --bg: var(--rose); } .tile.sea { --bg: var(--sea); } .tile.leaf { --bg: var(--leaf); } .tile.dusk { --bg: var(--dusk); }
.tile svg { width: 78%; transition: transform .35s cubic-bezier(.2,1.4,.4,1); }
.card:hover .tile svg { transform: scale(1.06) rotate(-2deg); }
.tile .swing { transform-origin: 120px 154px; transform: rotate(-14deg); }
.card:hover .swing { animation: swing .9s ease-in-out infinite alternate; }
@keyframes swing { to { transform: rotate(14deg); } }
.flag { position: absolute; top: 1rem; left: 1rem; background: var(--accent); color: #fff; font: 700 .78rem/1 var(--mono); text-transform: uppercase; letter-spacing: .08em; padding: .5rem .7rem; border-radius: 99px; transform: rotate(-4deg); }
.body { display: flex; flex-direction: column; gap: .55rem; padding: 1.25rem 1.35rem 1.35rem; flex: 1; }
.title { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; }
.title h3 { font: 700 1.42rem/1.15 var(--serif); letter-spacing: -.015em; }
.price { font: 700 1.1rem/1 var(--mono); white-space: nowrap; }
.price s { color: var(--soft); font-weight: 500; font-size: .84em; margin-right: .4em; }
.body p { color: var(--soft); }
.stars { display: flex; align-items: center; gap: .5rem; font-size: .88rem; color: var(--soft); }
.rating { --share: 0%; position: relative; letter-spacing: .12em; color: var(--line); font-size: 1rem; }
.rating::after { content: "★★★★★"; position: absolute; inset: 0; width: var(--share); overflow: hidden; color: var(--sun); }
blockquote { border-left: 3px solid var(--bg, var(--sun)); padding-left: .8rem; font: italic 1rem/1.45 var(--serif); }
blockquote footer { font: 500 .8rem/1.6 var(--sans); color: var(--soft); }
form { margin-top: auto; padding-top: .7rem; }
button { width: 100%; border: 0; border-radius: 99px; padding: .8rem 1.2rem; font: 600 1rem/1 var(--sans); background: var(--ink); color: #fbf5e9; cursor: pointer; transition: background .2s ease; }
button:hover { background: var(--accent); }
button:disabled { opacity: .45; cursor: not-allowed; }
@media (prefers-color-scheme: dark) { button { background: #f6efdf; color: #1d1b33; } button:hover { color: #fff; } }
.notice { border: 2px dashed var(--line); border-radius: 22px; padding: clamp(1.6rem, 5vw, 3.4rem); text-align: center; }
.notice h3 { font: 700 1.7rem/1.2 var(--serif); margin-bottom: .4rem; }
.notice p { color: var(--soft); }

.served { border-top: 1px solid var(--line); padding-block: 2rem 3rem; color: var(--soft); font-size: .9rem; }
.served h2 { font: 700 1.05rem/1.2 var(--serif); color: var(--text); margin-bottom: .8rem; }
.served ul { display: grid; gap: .7rem; grid-template-columns: repeat(auto-fit, minmax(14.5rem, 1fr)); list-style: none; padding: 0; }
.served li { background: var(--card); border-radius: 14px; padding: .7rem 1rem; font: 500 .8rem/1.6 var(--mono); overflow-wrap: anywhere; box-shadow: var(--shadow); }
.served b { display: block; color: var(--text); font-weight: 700; }
.served .down b::after { content: " down"; color: var(--accent); }
@media (prefers-reduced-motion: reduce) { *, *::before, *::after { animation: none !important; transition: none !important; } }
`;
