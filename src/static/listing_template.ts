/**
 * The fixed parts of the listing page: style, script, icons. Nothing in here depends on a request, so that the page's
 * Content-Security-Policy can name them by their hash.
 *
 * @module
 */

/** The style sheet. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --text: #1c2230; --muted: #667085; --line: #e6e8ee;
  --hover: #f2f6ff; --accent: #2257d6; --folder: #e0a32e; --file: #98a2b3; --ring: #2257d655;
  --image: #2e9e6b; --media: #8a63d2; --archive: #c27a3b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1218; --card: #171b23; --text: #e4e7ee; --muted: #949db0; --line: #262c38;
    --hover: #1e2532; --accent: #85abff; --folder: #e7b450; --file: #7c879c; --ring: #85abff55;
    --image: #5cc497; --media: #b195ee; --archive: #dd9c63;
  }
}
* { box-sizing: border-box }
[hidden] { display: none !important }
body {
  margin: 0; padding: 2.25rem clamp(.75rem, 4vw, 2.5rem) 4rem; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
main, header { max-width: 62rem; margin: 0 auto }
a { color: inherit; text-decoration: none; unicode-bidi: isolate }
a:focus-visible, input:focus-visible, button:focus-visible { outline: 3px solid var(--ring); outline-offset: 1px; border-radius: 6px }
svg { width: 1.25rem; height: 1.25rem; flex: none; fill: none; stroke: var(--file); stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round }
nav ol { display: flex; flex-wrap: wrap; gap: .1rem; margin: 0; padding: 0; list-style: none; font-size: .9rem; color: var(--muted) }
nav li { display: flex; align-items: center; max-width: 100%; overflow-wrap: anywhere }
nav li + li::before { content: "/"; opacity: .5; margin: 0 .1rem }
.crumbs svg { width: 1.1rem; height: 1.1rem; stroke: currentColor }
.crumbs a, .crumbs [aria-current] { padding: .15rem .35rem; border-radius: 6px; display: flex; overflow-wrap: anywhere; min-width: 0 }
.crumbs li:first-child a, .crumbs li:first-child [aria-current] { margin-left: -.35rem }
.crumbs [aria-current] { color: var(--text) }
.crumbs a:hover { background: var(--line); color: var(--text) }
h1 { font-size: 1.45rem; line-height: 1.3; font-weight: 650; letter-spacing: -.015em; margin: .35rem 0 0; overflow-wrap: anywhere }
.bar { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: center; justify-content: space-between; margin: 1.1rem 0 .9rem }
.bar p { margin: 0; color: var(--muted); font-size: .9rem }
form { display: flex; gap: .5rem; flex: 0 1 20rem }
input[type=search] {
  font: inherit; font-size: .95rem; color: inherit; background: var(--card); border: 1px solid var(--line);
  border-radius: 9px; padding: .4rem .7rem; width: 100%; min-width: 0;
}
input::placeholder { color: var(--muted); opacity: 1 }
button { font: inherit; font-size: .95rem; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 9px; padding: .4rem .8rem; cursor: pointer }
button:hover { background: var(--hover) }
.js button { display: none }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; overflow: clip; box-shadow: 0 1px 2px #0000000a, 0 8px 24px -16px #00000026 }
table { width: 100%; border-collapse: collapse }
th { text-align: left; font-weight: 500; font-size: .8rem; color: var(--muted); padding: 0; border-bottom: 1px solid var(--line); white-space: nowrap; position: sticky; top: 0; background: var(--card); z-index: 1 }
th a { display: inline-block; padding: .6rem 1rem; border-radius: 6px }
th a:hover { color: var(--text) }
th[aria-sort] a { color: var(--text); font-weight: 600 }
th[aria-sort] a::after { content: "\\2191"; margin-left: .3rem; color: var(--accent) }
th[aria-sort=descending] a::after { content: "\\2193" }
td { padding: 0 1rem; border-bottom: 1px solid var(--line); height: 2.6rem }
tr:last-child td { border-bottom: 0 }
tbody tr:hover { background: var(--hover) }
td:first-child { padding: 0; width: 100% }
td > a { display: flex; align-items: flex-start; gap: .75rem; padding: .5rem 0 .5rem 1rem; overflow-wrap: anywhere; border-radius: 8px }
td svg { margin-top: .12rem }
td i { margin-top: .2rem }
td > a:hover span { color: var(--accent); text-decoration: underline; text-underline-offset: 3px }
td + td { color: var(--muted); font-size: .875rem; white-space: nowrap; font-variant-numeric: tabular-nums; text-align: right }
th + th { text-align: right }
.d { stroke: var(--folder); fill: color-mix(in srgb, var(--folder) 22%, transparent) }
.p { stroke: var(--image) }
.v, .a { stroke: var(--media) }
.z { stroke: var(--archive) }
i { font-style: normal; font-size: .7rem; line-height: 1.5; color: var(--muted); border: 1px solid var(--line); border-radius: 99px; padding: 0 .45rem; white-space: nowrap }
.none { padding: 2.5rem 1rem; text-align: center; color: var(--muted); margin: 0 }
.pages { margin: 1rem 0 0 }
.pages ol { justify-content: center; gap: .25rem }
.pages li + li::before { content: none }
.pages a, .pages [aria-current], .pages li > span { padding: .3rem .7rem; border-radius: 8px }
.pages a:hover { background: var(--line); color: var(--text) }
.pages [aria-current] { background: var(--accent); color: var(--card); font-weight: 600 }
@media (max-width: 40rem) {
  body { padding-top: 1.1rem }
  h1 { font-size: 1.2rem }
  form { flex: 1 1 100%; order: -1 }
  thead tr { display: flex; border-bottom: 1px solid var(--line) }
  th { position: static; border: 0 }
  th a { padding: .6rem .5rem .6rem 1rem }
  tbody tr { display: grid; grid-template-columns: auto 1fr; padding: .1rem 0 .55rem; border-bottom: 1px solid var(--line) }
  tbody tr:last-child { border-bottom: 0 }
  tbody td { border: 0; height: auto; font-size: .8rem; padding: 0 0 0 3rem; text-align: left }
  tbody td:first-child { grid-column: 1 / -1; font-size: 1rem }
  tbody td:first-child > a { padding-right: 1rem; padding-bottom: .15rem }
  tbody td:nth-child(2):not(:empty) + td { padding-left: .45rem }
  tbody td:nth-child(2):not(:empty) + td:not(:empty)::before { content: "\\00b7"; margin-right: .45rem }
  tbody tr.up { padding-bottom: .35rem }
  tbody td:empty { display: none }
  tbody td:empty + td { grid-column: 1 / -1 }
}
@media (prefers-contrast: more) { :root { --muted: var(--text); --line: var(--file) } }
@media print { body { background: none; padding: 0 } .card { box-shadow: none } form, .pages { display: none } }
`;

/**
 * What the page can do besides: filter while typing, move with the arrow keys, show dates in local time. All of it works
 * without, by links and a form.
 */
export const SCRIPT = `
const rows = [...document.querySelectorAll("tbody tr:not(.up)")];
const box = document.querySelector("input[type=search]");
const count = document.querySelector("#count");
const none = document.querySelector("#none");
const table = document.querySelector("table");
const initial = count.textContent;
const isWhole = document.body.dataset.whole === "";
document.documentElement.classList.add("js");

function filter() {
  const wanted = box.value.toLowerCase();
  let shown = 0;
  for (const row of rows) {
    row.hidden = !row.cells[0].firstChild.dataset.name.toLowerCase().includes(wanted);
    if (!row.hidden) shown++;
  }
  count.textContent = wanted === "" || wanted === box.defaultValue.toLowerCase() ? initial : shown + " of " + rows.length + " shown";
  none.hidden = shown > 0 || rows.length === 0;
}
for (const link of document.querySelectorAll("tbody a")) {
  link.dataset.name = link.querySelector("span").textContent;
}
box.addEventListener("input", filter);
box.form.addEventListener("submit", (event) => {
  const first = rows.find((row) => !row.hidden);
  if (isWhole && first) {
    event.preventDefault();
    first.querySelector("a").click();
  }
});
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && document.activeElement !== box) {
    event.preventDefault();
    box.select();
  } else if (event.key === "Escape" && document.activeElement === box) {
    box.value = "";
    filter();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const links = [...document.querySelectorAll("tbody tr:not([hidden]) a")];
    const at = links.indexOf(document.activeElement);
    if (at < 0 && document.activeElement !== box && document.activeElement !== document.body) return;
    const next = event.key === "ArrowDown" ? links[at + 1] : links[at - 1] ?? (at === 0 ? box : undefined);
    if (next) {
      event.preventDefault();
      next.focus();
    }
  }
});
const two = (number) => String(number).padStart(2, "0");
for (const time of document.querySelectorAll("time")) {
  const date = new Date(time.dateTime);
  time.textContent = date.getFullYear() + "-" + two(date.getMonth() + 1) + "-" + two(date.getDate()) + " " +
    two(date.getHours()) + ":" + two(date.getMinutes());
}
const zone = document.querySelector("#zone");
if (zone) zone.hidden = true;
if (box.value) filter();
`;

/** Outlines on a grid of 24, referred to by id. */
export const ICONS = `<svg hidden>
<symbol id="d" viewBox="0 0 24 24"><path d="M3 6.5a2 2 0 0 1 2-2h4.2a2 2 0 0 1 1.5.7l1.3 1.6H19a2 2 0 0 1 2 2v8.7a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z"/></symbol>
<symbol id="f" viewBox="0 0 24 24"><path d="M6 3h8l5 5v11a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zM14 3v5h5"/></symbol>
<symbol id="t" viewBox="0 0 24 24"><path d="M6 3h8l5 5v11a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zM14 3v5h5M8 13h7M8 17h5"/></symbol>
<symbol id="c" viewBox="0 0 24 24"><path d="M6 3h8l5 5v11a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zM14 3v5h5M10 12.5l-2 2 2 2M13.5 12.5l2 2-2 2"/></symbol>
<symbol id="p" viewBox="0 0 24 24"><rect x="3.5" y="4.5" width="17" height="15" rx="2"/><circle cx="9" cy="10" r="1.6"/><path d="M4 17l4.5-4 3.5 3 3-2.5 5 4"/></symbol>
<symbol id="v" viewBox="0 0 24 24"><rect x="3.5" y="5" width="17" height="14" rx="2"/><path d="M10 9.2v5.6l4.8-2.8z"/></symbol>
<symbol id="a" viewBox="0 0 24 24"><path d="M9 17.5V6l10-2v11.5"/><circle cx="6.5" cy="17.5" r="2.5"/><circle cx="16.5" cy="15.5" r="2.5"/></symbol>
<symbol id="z" viewBox="0 0 24 24"><path d="M4 8h16v10.500a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2zM3 4h18v4H3zM10 12h4"/></symbol>
<symbol id="u" viewBox="0 0 24 24"><path d="M12 19V6M6.500 11L12 5.500 17.500 11"/></symbol>
<symbol id="h" viewBox="0 0 24 24"><path d="M4 11l8-7 8 7v8a1.500 1.500 0 0 1-1.500 1.500h-13A1.500 1.500 0 0 1 4 19zM9.500 20.500V14h5v6.500"/></symbol>
</svg>`;
