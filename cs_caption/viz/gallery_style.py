"""The gallery's style sheet: two colour schemes, one column on a phone, nothing told by hue alone.

The hues are Okabe and Ito's, darkened or lightened until text on them reads (WCAG AA, 4.5 to 1).
"""

STYLE = """\
:root {
  color-scheme: light dark;
  --page: #fbfbf9; --card: #ffffff; --ink: #1b1d20; --soft: #565c64; --line: #d8dadd;
  --link: #00609a; --bar: #0072b2; --track: #e6e8ea;
  --all: #007a5a; --some: #8a5a00; --none: #b34700;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #131518; --card: #1b1e22; --ink: #e9eaec; --soft: #a9afb7; --line: #363b42;
    --link: #6cc0f0; --bar: #56b4e9; --track: #2b2f35;
    --all: #2cc79b; --some: #e8a92c; --none: #f08a4b;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0 auto; padding: 2rem clamp(1rem, 4vw, 3rem) 5rem; max-width: 76rem;
  background: var(--page); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
h1, h2, h3, h4 { line-height: 1.2; text-wrap: balance; }
h1 { font-size: clamp(1.7rem, 4vw, 2.4rem); letter-spacing: -.015em; margin: 0 0 .75rem; }
h2 { font-size: 1.45rem; margin: 3.5rem 0 .75rem; }
h3 { font-size: 1.1rem; margin: 2.25rem 0 .6rem; }
h4 { font-size: 1.05rem; margin: 0 0 .9rem; }
p, figcaption { max-width: 44rem; margin: 0 0 .8rem; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; padding: 0; margin: 1rem 0 0; }
nav li { list-style: none; }
.soft, figcaption, .label { color: var(--soft); }
.label { font-size: .82rem; margin: 0 0 .3rem; }
.number, td, rt { font-variant-numeric: tabular-nums; }

.bars { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: 1rem; }
.bars { padding: 0; margin: 1.2rem 0 2rem; }
.bars li { list-style: none; background: var(--card); border: 1px solid var(--line); }
.bars li { border-radius: 8px; padding: .9rem 1rem; border-left: 5px solid var(--none); }
.bars li.met { border-left-color: var(--all); }
.bars .value { display: block; font-size: 1.9rem; font-weight: 650; line-height: 1.2; }
.bars small { display: block; color: var(--soft); font-size: .84rem; }
.bars .verdict { color: var(--none); font-weight: 600; font-size: .9rem; }
.bars .met .verdict { color: var(--all); }

.scroll { overflow-x: auto; margin: 0 0 1.2rem; }
table { border-collapse: collapse; width: 100%; font-size: .93rem; }
caption { text-align: left; color: var(--soft); padding: 0 0 .5rem; font-size: .9rem; }
th, td { padding: .45rem .7rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { text-align: left; font-weight: 600; }
thead th { color: var(--soft); font-weight: 500; font-size: .84rem; vertical-align: bottom; }
td, thead th:not(:first-child) { text-align: right; white-space: nowrap; }
.lines tbody th { min-width: 12rem; }
.lines tbody tr:first-child > * { background: var(--card); font-weight: 650; }
.lines th small { display: block; font-weight: 400; color: var(--soft); font-size: .82rem; }
.gauge { display: block; width: 100%; min-width: 8rem; height: .7rem; background: var(--track); }
.gauge i { display: block; height: 100%; background: var(--bar); }
.gauges td:last-child { width: 55%; vertical-align: middle; }

.bin { display: grid; grid-template-columns: 11rem 1fr; gap: .2rem 1rem; align-items: end; }
.bin { margin: 0; padding: .5rem 0 0; }
.bin svg { display: block; width: 100%; height: 3.4rem; border-bottom: 1px solid var(--soft); }
.bin strong { display: block; }
.bin small { color: var(--soft); }
.all { --hue: var(--all); } .some { --hue: var(--some); } .none { --hue: var(--none); }
.bin rect { fill: var(--hue); }
.bin line { stroke: var(--ink); stroke-width: 2; vector-effect: non-scaling-stroke; }
.mark { color: var(--hue); font-weight: 700; }
.beams thead th { white-space: nowrap; }
.axis { display: flex; justify-content: space-between; margin-left: 12rem; }
.axis { font-size: .8rem; color: var(--soft); }
.axis span { width: 0; display: flex; justify-content: center; }
figure { margin: 0 0 1.5rem; }

.card { background: var(--card); border: 1px solid var(--line); border-top: 4px solid var(--hue); }
.card { border-radius: 8px; padding: 1.2rem clamp(.8rem, 2.5vw, 1.5rem) 1rem; margin: 0 0 1.4rem; }
.top { display: grid; grid-template-columns: 192px minmax(0, 1fr); gap: 1.5rem; }
.top { margin-bottom: 1rem; align-items: start; }
img { image-rendering: pixelated; }
.picture { display: block; width: 192px; height: 192px; border-radius: 4px; }
.picture { box-shadow: 0 0 0 1px var(--line); }
.refs { margin: 0 0 1rem; padding: 0 0 0 1.1rem; font-size: .95rem; }
.refs { columns: 20rem 2; column-gap: 2rem; }
.refs li { break-inside: avoid; }
.beams td, .beams tbody th { border-bottom: 0; padding: .1rem .7rem .5rem 0; }
.beams thead th { padding-left: 0; border: 0; }
.beams td:last-child, .beams thead th:last-child { text-align: left; white-space: normal; }
.beams td { line-height: 2.15; }
.beams tbody th { line-height: 2.15; font-weight: 500; }
.beams tr:first-child td { font-weight: 600; }
ruby { ruby-position: under; margin-right: .3rem; }
rt { font-size: .68rem; color: var(--soft); font-weight: 400; line-height: 1.2; }
.words { display: flex; flex-wrap: wrap; gap: .9rem .7rem; padding: 0; margin: 0; }
.words li { list-style: none; width: 88px; font-size: .84rem; line-height: 1.25; }
.look { display: block; width: 88px; height: 88px; background-size: cover; }
.look { image-rendering: pixelated; print-color-adjust: exact; margin-bottom: .3rem; }
.look img { display: block; width: 88px; height: 88px; }
.words b, .words small { display: block; overflow-wrap: anywhere; }
.words small { color: var(--soft); }
.words .on { color: var(--all); } .words .off { color: var(--none); }
footer { margin-top: 4rem; color: var(--soft); font-size: .9rem; }
@media (max-width: 40rem) {
  .top { grid-template-columns: minmax(0, 1fr); }
  .bin { grid-template-columns: minmax(0, 1fr); }
  .axis { margin-left: 0; }
  .refs { columns: auto; }
}
@media print { .card { break-inside: avoid; } nav { display: none; } }
"""
