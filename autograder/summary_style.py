"""The style sheet of the class summary: two colour schemes, nothing told by hue alone, printable.

The hues are Okabe and Ito's, darkened or lightened until text on them reads (WCAG AA, 4.5 to 1).
"""

STYLE = """\
:root {
  color-scheme: light dark;
  --page: #fbfbf9; --card: #ffffff; --ink: #1b1d20; --soft: #565c64; --line: #d8dadd;
  --link: #00609a; --bar: #0072b2; --other: #b36a00; --track: #e6e8ea; --act: #b34700;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #131518; --card: #1b1e22; --ink: #e9eaec; --soft: #a9afb7; --line: #363b42;
    --link: #6cc0f0; --bar: #56b4e9; --other: #e69f00; --track: #2b2f35; --act: #f08a4b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem clamp(1rem, 4vw, 3rem) 5rem; max-width: 76rem;
  background: var(--page); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
h1, h2, h3 { line-height: 1.2; text-wrap: balance; }
h1 { font-size: clamp(1.7rem, 4vw, 2.3rem); letter-spacing: -.015em; margin: 0 0 .5rem; }
h2 { font-size: 1.4rem; margin: 3rem 0 .6rem; }
h3 { font-size: 1.08rem; margin: 0 0 .6rem; }
p { max-width: 46rem; margin: 0 0 .8rem; }
a, summary { color: var(--link); }
summary { cursor: pointer; font-size: .9rem; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; padding: 0; margin: 1rem 0 0; }
nav li { list-style: none; }
.soft { color: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.4rem, 1fr)); gap: .8rem; }
.tiles { padding: 0; margin: 1.4rem 0 0; }
.tiles li { list-style: none; background: var(--card); border: 1px solid var(--line); }
.tiles li { border-radius: 8px; padding: .7rem .9rem; border-left: 5px solid var(--line); }
.tiles li.act { border-left-color: var(--act); }
.tiles b { display: block; font-size: 1.8rem; line-height: 1.2; }
.tiles span { color: var(--soft); font-size: .88rem; }
.scroll { overflow-x: auto; margin: 0 0 1.2rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; color: var(--soft); padding: 0 0 .4rem; font-size: .9rem; }
th, td { padding: .38rem .7rem .38rem 0; border-bottom: 1px solid var(--line); }
th, td { text-align: left; vertical-align: top; font-variant-numeric: tabular-nums; }
th { font-weight: 600; }
tbody th { overflow-wrap: anywhere; min-width: 7rem; }
thead th { color: var(--soft); font-weight: 500; font-size: .84rem; vertical-align: bottom; }
.first thead th { border-bottom: 2px solid var(--act); }
.number td, .number thead th:not(:first-child) { text-align: right; white-space: nowrap; }
td.words { text-align: left; white-space: normal; min-width: 16rem; }
.wide td, .wide th { font-size: .86rem; }
figure { margin: 0 0 .5rem; }
details { margin: 0 0 1rem; }
figcaption { color: var(--soft); font-size: .9rem; margin: 0 0 .4rem; }
svg { display: block; width: 100%; height: auto; max-width: 40rem; }
svg .bar { fill: var(--bar); }
svg .axis { stroke: var(--soft); stroke-width: 1; }
svg text { fill: var(--ink); font-size: 12px; text-anchor: middle; }
svg text.soft { fill: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 32rem), 1fr)); }
.cards { gap: 1rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.card { padding: 1rem 1.1rem; min-width: 0; }
.card svg { max-width: 22rem; }
.gauge { display: inline-block; width: 4.5rem; height: .6rem; background: var(--track); }
.gauge { margin-right: .5rem; print-color-adjust: exact; }
.of { display: inline-block; white-space: nowrap; }
.gauge i { display: block; height: 100%; background: var(--bar); print-color-adjust: exact; }
.hidden-too i { background: var(--other); }
footer { margin-top: 4rem; color: var(--soft); font-size: .9rem; }
@media print {
  nav { display: none; }
  .card, tr { break-inside: avoid; }
  body { padding: 0; max-width: none; }
}
"""
