//! The page's style sheet: one column, system fonts, light and dark by the reader's preference.

/// CSS.
pub const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#fff;--text:#1d2329;--quiet:#66707a;--rule:#dfe3e8;--card:#f6f7f9;--plot:#2f6f9f;\
--area:#2f6f9f26;--used:#2f6f9f;--dirty:#c77d1e;--free:#e3e7ec;--bad:#b3261e}\
@media(prefers-color-scheme:dark){:root{--ground:#15181c;--text:#dfe3e8;--quiet:#8f99a3;--rule:#2c3238;--card:#1d2126;\
--plot:#74b3dd;--area:#74b3dd2e;--used:#4f90bd;--dirty:#e0a458;--free:#2c3238;--bad:#ff8a80}}\
*{box-sizing:border-box}\
body{font:15px/1.5 system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;margin:0 auto;padding:1.5rem;max-width:88rem;\
background:var(--ground);color:var(--text)}\
header h1{font-size:1.5rem;margin:0}header p{margin:.1rem 0 1.2rem;color:var(--quiet)}\
h2{font-size:1.1rem;margin:2rem 0 .5rem}h3{font-size:.85rem;font-weight:600;margin:0;color:var(--quiet)}p{margin:.3rem 0}\
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:.8rem}\
.card{background:var(--card);border:1px solid var(--rule);border-radius:6px;padding:.7rem .9rem}\
.value{font-size:1.6rem;line-height:1.3;font-variant-numeric:tabular-nums}.note{font-size:.8rem;color:var(--quiet)}\
svg{display:block;width:100%}.plot{height:44px}.bar{height:18px;border-radius:3px}\
.line{fill:none;stroke:var(--plot);stroke-width:1.5;vector-effect:non-scaling-stroke}.area{fill:var(--area)}\
.axis{stroke:var(--rule)}.used{fill:var(--used)}.dirty{fill:var(--dirty)}.ground{fill:var(--free)}\
.key{font-size:.85rem;color:var(--quiet)}.key i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin:0 .35em 0 .8em}\
.key i:first-child{margin-left:0}.key i.used{background:var(--used)}.key i.dirty{background:var(--dirty)}.key i.ground{background:var(--free)}\
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(24rem,1fr));gap:1rem 2rem}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:0}dt{color:var(--quiet)}dd{margin:0}\
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}\
th,td{text-align:left;padding:.3rem .7rem .3rem 0;border-bottom:1px solid var(--rule);vertical-align:top;white-space:nowrap}\
th{color:var(--quiet);font-weight:600}.n{text-align:right;font-variant-numeric:tabular-nums}\
td.share{min-width:5rem}td.share .bar{height:10px;margin-top:.45em}td.sql{white-space:normal;min-width:20rem;width:50%}.quiet,.quiet code{color:var(--quiet)}.bad{color:var(--bad)}\
code{font:.85rem/1.4 ui-monospace,'DejaVu Sans Mono',monospace;white-space:pre-wrap;overflow-wrap:anywhere}\
details summary{cursor:pointer}.tree{font:.85rem/1.45 ui-monospace,'DejaVu Sans Mono',monospace;white-space:pre;overflow-x:auto}\
.locks,.locks ul{list-style:none;margin:0;padding-left:1.4rem;border-left:2px solid var(--rule)}.locks{padding-left:.8rem}\
.locks li{margin:.3rem 0}";
