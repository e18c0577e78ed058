"""How the page looks, and what it may load: nothing."""

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'"
STYLE = """
:root{color-scheme:light dark;--ink:#1d2126;--soft:#5c6670;--line:#d8dde2;--page:#f6f7f8;
--card:#fff;--a:#1c6ea4;--b:#9cc9e6;--warn:#9a5b00}
@media (prefers-color-scheme:dark){:root{--ink:#e8ebee;--soft:#9aa5af;--line:#343b43;
--page:#14171a;--card:#1c2025;--a:#5aaae1;--b:#2f5877;--warn:#ffc46b}}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1000px;margin:0 auto;padding:24px 16px}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;
padding:4px 20px 18px;margin:0 0 18px;overflow-x:auto}
h1{font-size:24px;margin:8px 0 4px}h2{font-size:17px;margin:14px 0 8px}
p{margin:6px 0}.soft{color:var(--soft)}.warn{color:var(--warn);font-weight:600}
table{border-collapse:collapse}td,th{padding:5px 12px;text-align:right;border-bottom:1px solid
var(--line);font-variant-numeric:tabular-nums;font-weight:400}th{color:var(--soft)}
th:first-child,td:first-child{text-align:left}
.chart{max-width:100%;height:auto;display:block}.chart text{fill:var(--soft);font-size:12px}
.chart .name{text-anchor:end}.bar-a{fill:var(--a)}.bar-b{fill:var(--b)}
.grid,.axis,.ideal{stroke:var(--line);fill:none}.axis{stroke:var(--soft)}
.ideal{stroke:var(--soft);stroke-dasharray:4 4}.dot{fill:var(--ink)}
.plots{display:flex;flex-wrap:wrap;gap:24px}
.gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(210px,1fr));gap:18px}
figure{margin:0}figcaption{font-size:13px;line-height:1.4;overflow-wrap:anywhere;margin-top:4px}
.shot{position:relative;border-radius:6px;overflow:hidden;background:#000}
.shot img{display:block;width:100%}.shot svg{position:absolute;inset:0;width:100%;height:100%}
.shot path{fill:none;stroke-linecap:round}.true path{stroke:#fff;stroke-width:2.5;
stroke-dasharray:5 5;filter:drop-shadow(0 0 1px #000)}.found path{stroke:#2f9bff;stroke-width:3}
.true .dots{stroke-dasharray:none;stroke-width:7}.found .dots{stroke-width:7}
.faint{opacity:.4}.ring{fill:none;stroke-width:3}
"""
