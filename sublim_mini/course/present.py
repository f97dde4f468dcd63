"""The present mode of the page of a run: P turns it into screens for the wall.

A part of a lesson with `data-screen="n"` is shown on the lesson's screen n: 1 has its question,
2 its figure, 3 its claims. While one screen is shown all else is hidden, for screen readers too.
"""

PRESENT_STYLE = """
nav { position: fixed; right: 0; bottom: 0; padding: 0 .5rem; color: #555 }
nav, nav button { font-size: max(1rem, 2.4vmin); border: 0; background: #fff }
.loading body { visibility: hidden }
.presenting { max-width: none; padding: 0; font-size: max(1.2rem, 5.2vmin); line-height: 1.35 }
.presenting section { display: flex; flex-direction: column; justify-content: center;
  box-sizing: border-box; min-height: 100vh; padding: 0 4vmin 2.5rem; outline: none }
.presenting h2 { font-size: 1.35em; border: 0; margin: 0; padding: 0 }
.presenting p { margin: 1em 0 0 }
.presenting h2.small { font-size: .9em }
.presenting table { font-size: max(1rem, .73em); line-height: 1.25; margin-top: .6em }
.presenting :is(th, td):not(:first-child) { padding-left: .6em }
.presenting img { position: absolute; inset: 0; width: 100%; height: calc(100% - 2.4rem);
  object-fit: contain }
@media (hover: none) { .presenting section { cursor: pointer } }  /* or Safari sees no tap */
"""
PRESENT = """
const button = document.querySelector("button"), bar = document.querySelector("nav");
const [counter, end] = bar.children;
const screens = [...document.querySelectorAll("section")].flatMap((section) =>
  [...new Set([...section.children].map((part) => part.dataset.screen))].filter(Boolean)
    .map((n) => ({ section, n, address: `#${encodeURIComponent(section.id)}/${n}` })));
const find = (address) => screens.findIndex((screen) => screen.address === address);
let now = -1;  // no screen: the whole page

function show(i) {
  const { section, n, address } = screens[now = i] ?? {};
  document.body.classList.toggle("presenting", i >= 0);
  for (const one of document.body.children) {
    one.hidden = i >= 0 ? one !== section && one !== bar : one === bar;
  }
  for (const part of document.querySelectorAll("section > *")) {
    const shown = part.dataset.screen === n || (part.tagName === "H2" && n === "3");
    part.classList.toggle("small", n === "3");
    part.hidden = i >= 0 ? !shown : part.matches(".predict");
  }
  if (i < 0) return;
  counter.textContent = `${i + 1} / ${screens.length}`;
  history.replaceState(null, "", address);
  section.focus();
  scrollTo(0, 0);
}
function start() {  // at the lesson that the address names
  show(Math.max(0, find(`${location.hash}/1`)));
}
function stop() {
  const { section, address } = screens[now];
  history.replaceState(null, "", address.split("/")[0]);
  show(-1);
  section.scrollIntoView();
}
function step(by) {
  show(Math.min(Math.max(now + by, 0), screens.length - 1));
}
button.hidden = false;
button.onclick = start;
end.onclick = stop;
const keys = { Escape: stop, Home: () => step(-Infinity), End: () => step(Infinity) };
for (const key of ["ArrowRight", "PageDown", " "]) keys[key] = () => step(1);
for (const key of ["ArrowLeft", "PageUp"]) keys[key] = () => step(-1);
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const act = now < 0 ? event.key.toLowerCase() === "p" && start : keys[event.key];
  if (!act || (event.key === " " && event.target === end)) return;
  event.preventDefault();
  act();
});
addEventListener("click", (event) => {  // a tap, which is not the end of selecting text
  if (now < 0 || event.target.closest("button") || String(getSelection())) return;
  step(event.clientX < innerWidth / 2 ? -1 : 1);
});
addEventListener("hashchange", () => show(find(location.hash)));
addEventListener("beforeprint", () => now < 0 || stop());
show(find(location.hash));
document.documentElement.className = "";
"""
