/** How the report looks, by day and by night. */
export const style = `
:root { color-scheme: light dark; --paper: #f6f8fa; --card: #ffffff; --ink: #15212d; --soft: #5b6b7b; --line: #dbe3ea;
  --generated: #d9622b; --real: #0b6e99; --reconstructed: #2a9d6f; --gaussian: #8a8f98; --blurred: #8a4f9e; --copied: #c0392b; --alarm: #c0392b; --calm: #2a7d5f; }
@media (prefers-color-scheme: dark) { :root { --paper: #0d1520; --card: #142130; --ink: #e8eef4; --soft: #9db0c2; --line: #26384b;
  --generated: #ff9a5c; --real: #5cc1ee; --reconstructed: #5fd3a3; --gaussian: #aab4bf; --blurred: #cf9be3; --copied: #ff7b6b; --alarm: #ff7b6b; --calm: #6fd6ae; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 40px 24px 80px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }
h2 { font-size: 19px; margin: 0 0 6px; }
p { margin: 0 0 10px; }
.soft, .facts { color: var(--soft); }
.facts { font-size: 14px; margin-bottom: 24px; }
section, .hero { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 22px 24px; margin-bottom: 20px; }
.hero p:first-child { font-size: 18px; line-height: 1.45; }
.hero p:last-child { margin-bottom: 0; }
.legend { display: flex; flex-wrap: wrap; gap: 6px 18px; margin: 0 0 20px; padding: 0; list-style: none; font-size: 13px; color: var(--soft); }
.legend li { display: flex; align-items: center; gap: 5px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
th { font-weight: 500; color: var(--soft); text-align: right; padding: 4px 10px; font-size: 13px; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td { padding: 2px 10px; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); }
td.mark { width: 420px; min-width: 240px; padding: 0; }
.strip { display: block; width: 100%; height: auto; min-width: 240px; }
.axis { stroke: var(--line); stroke-width: 2; } .target { stroke: var(--soft); stroke-dasharray: 2 3; }
.interval { stroke: var(--generated); stroke-width: 5; stroke-opacity: 0.35; stroke-linecap: round; }
.generated { fill: var(--generated); stroke: var(--card); stroke-width: 1.5; }
.real { fill: var(--card); stroke: var(--real); stroke-width: 2.5; } .reconstructed { fill: var(--reconstructed); }
.gaussian { fill: var(--gaussian); } .blurred { fill: var(--blurred); }
.copied { fill: none; stroke: var(--copied); stroke-width: 2.5; stroke-linecap: round; }
.p { display: inline-block; min-width: 52px; padding: 1px 8px; border-radius: 9px; text-align: center; font-size: 13px; }
.p.alarm { background: color-mix(in srgb, var(--alarm) 16%, transparent); color: var(--alarm); font-weight: 600; }
.p.calm { color: var(--calm); }
.chart { width: 100%; max-width: 760px; height: auto; display: block; font-size: 12px; fill: var(--soft); }
.grid { stroke: var(--line); } path.seen, path.unseen { fill: none; stroke-width: 2; }
path.seen, circle.seen { stroke: var(--real); } path.unseen, circle.unseen { stroke: var(--generated); }
circle.seen { fill: var(--real); } circle.unseen { fill: var(--generated); }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(212px, 1fr)); gap: 14px; margin-top: 14px; }
figure { margin: 0; } figure div { display: flex; gap: 3px; border-radius: 8px; overflow: hidden; border: 2px solid transparent; }
figure.copy div { border-color: var(--alarm); } figure img { flex: 1; width: 0; aspect-ratio: var(--shape); image-rendering: pixelated; display: block; }
figcaption { font-size: 12px; color: var(--soft); margin-top: 3px; } figure.copy figcaption { color: var(--alarm); font-weight: 600; }
@media (max-width: 640px) { main { padding: 24px 12px 48px; } section, .hero { padding: 16px; } }
`
