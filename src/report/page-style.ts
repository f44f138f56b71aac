/**
 * The style of every report. Colours pass WCAG AA as text on their ground in both schemes; the three model colours
 * differ for colour-blind readers too, and signs, dashes and words repeat what they say.
 */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #faf8f4; --surface: #ffffff; --ink: #1d2127; --muted: #565d68; --line: #dedad1; --track: #ece8df;
  --trained: #b54300; --unlearned: #0061a8; --retrained: #5b626e; --good: #17683a; --bad: #a51d1d; --warn: #835500;
  --shade-right: #004678; --shade-wrong: #7c2c00; --on-weak: #000000; --on-strong: #ffffff;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
  --serif: ui-serif, "Iowan Old Style", "Palatino Linotype", Palatino, Georgia, "Liberation Serif", serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
}
@media screen and (prefers-color-scheme: dark) { :root {
  --ground: #14171b; --surface: #1c2026; --ink: #e9e6e0; --muted: #a7aeb9; --line: #363c46; --track: #2b3038;
  --trained: #ff9a5c; --unlearned: #6cb8f7; --retrained: #b3bac5; --good: #6fd09a; --bad: #ff8f86; --warn: #e7b85c;
  --shade-right: #4f9fe0; --shade-wrong: #dc7c40; --on-weak: #ffffff; --on-strong: #000000;
} }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body { margin: 0 auto; padding: 0 1.25rem 3rem; max-width: 62rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 var(--sans); overflow-wrap: break-word; }
a { color: var(--unlearned); }
:focus-visible { outline: 3px solid var(--unlearned); outline-offset: 2px; }
h1, h2 { font-family: var(--serif); line-height: 1.15; text-wrap: balance; font-weight: 600; }
h1 { font-size: clamp(1.9rem, 1.3rem + 2.6vw, 3rem); margin: .2rem 0 1rem; letter-spacing: -.01em; }
h2 { font-size: 1.55rem; margin: 0 0 .6rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
p, ul { margin: 0 0 .8rem; max-width: 68ch; }
li + li { margin-top: .3rem; }
header { padding-top: 2.5rem; }
.kind { margin: 0; font-size: .85rem; letter-spacing: .06em; text-transform: uppercase; color: var(--muted); }
.lead { font-size: 1.12rem; }
.lead p, .lead ul { max-width: 64ch; }
.results { list-style: none; padding: 0; }
.results li { display: grid; grid-template-columns: 1.6rem 1fr; }
.results li > :first-child { font-weight: 700; }
section { margin-top: 3rem; padding-top: 1.5rem; border-top: 1px solid var(--line); }
nav ul { max-width: none; display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; list-style: none; margin: 1.5rem 0 0; padding: 0; font-size: .9rem; }
nav li + li, .story li + li, .keys li + li { margin: 0; }
nav a { display: inline-block; padding: .2rem 0; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--muted); font-size: .85rem; }
code { font-family: var(--mono); font-size: .88em; overflow-wrap: anywhere; }

.stamp { display: inline-block; margin: 0 0 1rem; padding: .25rem .8rem; border: 2px solid; border-radius: 2rem; font-weight: 650; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
td .good, td .bad, td .warn { white-space: nowrap; }
.muted { color: var(--muted); }
.callout { border-left: 4px solid var(--warn); background: var(--surface); padding: .8rem 1rem; margin: 0 0 1rem; }
.callout p:last-child { margin: 0; }

.facts { display: grid; grid-template-columns: max-content 1fr; gap: .45rem 1.2rem; margin: 0 0 1rem; max-width: 72ch; }
.facts dt { font-weight: 600; }
.facts dd { margin: 0; }
.facts dd ul { margin: 0; padding-left: 1.1rem; }
pre { font: .82rem/1.45 var(--mono); padding: .8rem 1rem; border: 1px solid var(--line); border-radius: .5rem; }

.story { display: grid; grid-template-columns: repeat(auto-fit, minmax(12.5rem, 1fr)); gap: 1px; list-style: none; margin: 1.5rem 0 0; padding: 0;
  background: var(--line); border: 1px solid var(--line); border-radius: .5rem; overflow: hidden; }
.story li { background: var(--surface); padding: .9rem 1rem; }
.story strong { display: block; }
.story p { margin: 0; font-size: .92rem; color: var(--muted); }
.story .sketch { height: 3.4rem; display: flex; align-items: center; margin-bottom: .5rem; }
.story svg { display: block; max-width: 100%; height: 100%; }

.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1rem; }
.tile { background: var(--surface); border: 1px solid var(--line); border-radius: .5rem; padding: .9rem 1rem; }
.tiles + p { margin-top: 1rem; }
.tile p { font-size: .85rem; color: var(--muted); margin: .5rem 0 0; }
.tile caption { font-size: 1rem; }
.bars { width: 100%; }
.bars th, .bars td { border: 0; padding: .15rem 0; background: none; }
.bars th { width: 1%; min-width: 0; white-space: nowrap; padding-right: .7rem; }
.bars caption { max-width: none; }
.bars td.number { width: 1%; padding-left: .7rem; font-weight: 600; }
.bars tr.unlearned td.number { font-size: 1.15rem; }
.track { min-width: 2.5rem; }
.track span { display: block; height: .7rem; min-width: 1px; background: currentColor; border-radius: 1px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
td.track { background: linear-gradient(var(--track), var(--track)) center / 100% .7rem no-repeat; }
tr.trained .track { color: var(--trained); } tr.unlearned .track { color: var(--unlearned); } tr.retrained .track { color: var(--retrained); }
tr.plain .track { color: var(--unlearned); }
.model { white-space: nowrap; }
.model .sign { display: inline-block; width: 1em; text-align: center; }
.model.trained .sign { color: var(--trained); } .model.unlearned .sign { color: var(--unlearned); } .model.retrained .sign { color: var(--retrained); }
.key { white-space: nowrap; }
.key .sign { display: inline-block; width: 1em; text-align: center; }
.sign.forgotten { color: var(--bad); } .sign.other { color: var(--muted); font-weight: 700; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: 0 0 .4rem; font-size: .9rem; }

table { border-collapse: collapse; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .35rem; }
th, td { padding: .35rem .8rem; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); }
th { font-weight: 500; }
tr > :first-child { padding-left: 0; }
tr > :last-child { padding-right: 0; }
tbody th { min-width: 7.5rem; }
caption { max-width: calc(100vw - 2rem); }
thead th { color: var(--muted); font-size: .85rem; vertical-align: bottom; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.scroll { overflow-x: auto; background: linear-gradient(to right, var(--ground) 40%, transparent) left / 3rem 100% local,
  linear-gradient(to left, var(--ground) 40%, transparent) right / 3rem 100% local,
  linear-gradient(to right, var(--line), transparent) left / .8rem 100% scroll,
  linear-gradient(to left, var(--line), transparent) right / .8rem 100% scroll; background-repeat: no-repeat; margin: .4rem 0 1.2rem; }

figure { margin: 1.6rem 0 2rem; }
figcaption { margin-bottom: .7rem; max-width: 72ch; }
figcaption strong { display: block; font-size: 1.05rem; }
figcaption span { color: var(--muted); font-size: .92rem; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1rem 1.5rem; }
.panels.maps { grid-template-columns: repeat(auto-fit, minmax(min(100%, 16rem), 1fr)); }
.maps .plot { border: 1px solid var(--line); border-radius: .5rem; background: var(--surface); }
.panel h3 { margin: 0 0 .3rem; font-size: .95rem; }
.plot { max-width: 31rem; }
.plot svg { width: 100%; height: auto; overflow: visible; font-family: var(--sans); }
details { margin-top: .6rem; }
summary { cursor: pointer; font-size: .9rem; color: var(--muted); padding: .25rem 0; }
.keys { max-width: none; columns: 2 16rem; margin: .5rem 0 0; padding: 0; list-style: none; font-size: .9rem; }
.keys b { display: inline-block; min-width: 1.3rem; }

.examples { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: 1rem; }
.examples .card { background: var(--surface); border: 1px solid var(--line); border-radius: .5rem; padding: .7rem; }
.examples table { width: 100%; font-size: .85rem; table-layout: fixed; }
.examples tbody th, .matrix tbody th { min-width: 0; }
.examples th, .examples td { padding: .15rem 0; border: 0; }
.examples td { text-align: center; line-height: 1.25; }
.examples thead > tr > :first-child { width: 1.6rem; }
.examples thead th { text-align: center; font-size: .8rem; }
.examples img { display: block; width: 88%; max-width: 5rem; height: auto; margin: .2rem auto .4rem; image-rendering: pixelated; background: #000; }

.changed { grid-template-columns: repeat(auto-fill, minmax(9.2rem, 1fr)); }
.changed caption { font-size: .85rem; max-width: none; }
.changed img { width: 100%; max-width: 6rem; }
.changed table { table-layout: auto; }
.changed tbody th { width: 1.4rem; }
.changed td { text-align: left; }
.changed td.number { text-align: right; font-size: .92em; }
.changed .card { padding: .7rem .5rem; }
.drawn { display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; margin-bottom: 1rem; }
.drawn img { display: block; width: 8rem; height: auto; image-rendering: pixelated; background: #000; }
.drawn p { margin: .3rem 0 0; font-size: .85rem; max-width: 8rem; }

.matrices { grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); }
.matrix table { font-size: .78rem; table-layout: fixed; width: 100%; max-width: 24rem; line-height: 1.2; }
.matrix th, .matrix td { padding: 0; height: 1.75rem; text-align: center; vertical-align: middle; border: 1px solid var(--ground); font-variant-numeric: tabular-nums; }
.long thead th { height: auto; vertical-align: bottom; }
.long thead th span { writing-mode: vertical-rl; transform: rotate(180deg); white-space: nowrap; padding-bottom: .1rem; }
.long thead tr > :first-child { width: 5.2rem; }
.long tbody th { text-align: right; padding-right: .4rem; }
.matrix tbody td { background: color-mix(in srgb, var(--shade-right) calc(var(--v) * 100%), var(--surface)); print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.matrix tbody td.wrong { background: color-mix(in srgb, var(--shade-wrong) calc(var(--v) * 100%), var(--surface)); }
.matrix tbody td { color: var(--on-weak); }
.matrix tbody td.strong { color: var(--on-strong); }

@media (max-width: 40rem) {
  body { padding: 0 1rem 2rem; }
  header { padding-top: 1.5rem; }
  .lead { font-size: 1.05rem; }
  table { font-size: .85rem; }
  .bars th { white-space: normal; }
  .facts { grid-template-columns: 1fr; gap: .1rem; }
  .facts dd { margin-bottom: .5rem; }
  th, td { padding: .3rem .5rem; }
  .story { grid-template-columns: 1fr; }
  .story li { display: grid; grid-template-columns: 6.5rem 1fr; column-gap: 1rem; align-items: center; }
  .story .sketch { margin: 0; }
  .examples, .changed { grid-template-columns: repeat(2, 1fr); gap: .6rem; }
  .examples .card { padding: .5rem .4rem; }
  .examples td { font-size: .72rem; }
  .examples thead > tr > :first-child { width: 1.2rem; }
}
@media print {
  @page { size: A4; margin: 16mm 14mm; }
  body { padding: 0; max-width: none; font-size: 10pt; background: none; --ground: #ffffff; }
  nav, summary { display: none; }
  details::details-content { content-visibility: visible; display: block; }
  section { margin-top: 1.2rem; padding-top: .8rem; }
  figure { margin: .8rem 0; }
  .sheet { break-before: page; break-after: page; border-top: 0; margin-top: 0; padding-top: 0; font-size: 9.5pt; }
  .sheet + section { border-top: 0; margin-top: 0; }
  .sheet table { font-size: 8.5pt; }
  .panels.maps { grid-template-columns: 1fr 1fr 1fr; gap: .4rem; }
  pre { font-size: 7.5pt; white-space: pre-wrap; }
  footer { margin-top: 1rem; padding-top: .5rem; }
  h2, h3, figcaption, caption, .legend, p:has(+ .scroll) { break-after: avoid; break-inside: avoid; }
  table:not(:has(tbody tr:nth-child(16))) { break-inside: avoid; }
  header { padding-top: 0; }
  details table, details thead th { font-size: 7.5pt; line-height: 1.25; }
  details th, details td { padding-top: .12rem; padding-bottom: .12rem; }
  .lead { font-size: 11pt; }
  .scroll table { font-size: 8pt; }
  .scroll th, .scroll td { padding: .2rem .4rem; }
  .scroll tbody th { min-width: 9rem; }
  .story { grid-template-columns: repeat(4, 1fr); }
  .plot { max-width: 110mm; }
  .tile, .plot, .card, .panel, tr, .story, .callout { break-inside: avoid; }
  .scroll { overflow: visible; background: none; }
  .panels { grid-template-columns: 1fr 1fr; }
  .matrices { grid-template-columns: 1fr 1fr 1fr; gap: .6rem; }
  .matrix table { font-size: 6.5pt; }
  .matrix th, .matrix td { height: 1.15rem; }
  .tiles { grid-template-columns: 1fr 1fr 1fr; gap: .5rem; }
  .examples { grid-template-columns: repeat(4, 1fr); }
  .examples.changed { grid-template-columns: repeat(6, 1fr); gap: .4rem; }
  .changed .card { padding: .3rem; }
  .changed table { font-size: 7pt; }
  a { color: inherit; text-decoration: none; }
}
`;
