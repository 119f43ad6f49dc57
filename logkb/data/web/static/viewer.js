// The log beside the report: only the visible rows are in the page, whatever the log's length.
import { ask, make, say, stored, writing } from "./dom.js";
import { Pages } from "./pages.js";
import { Rows } from "./rows.js";

const ROW = 20;
const OVER = 6;
// Browsers stop at some 18 million pixels; beyond this the scroll bar is a scale, and the wheel still moves by lines.
const MAX_HEIGHT = 8e6;

const place = document.getElementById("log");
const { id } = place.dataset;
const proof = place.dataset.evidence.split(",").filter(Boolean).map(Number);
const proved = new Set(proof);
const inOrder = [...proof].sort((a, b) => a - b);

class Viewer {
  constructor(total) {
    this.pages = new Pages(id, total, () => this.came());
    this.rows = new Rows(total);
    this.top = 0;
    this.here = 0;
    this.picked = [0, -1];
    this.words = "";
    this.hits = [];
    this.version = 0;
    this.shown = new Map();
    this.build();
  }

  build() {
    this.body = make("div", { className: "rows" });
    this.space = make("div", { className: "space" }, this.body);
    this.scroll = make("div", { className: "lines", id: "lines", tabIndex: 0, role: "group", "aria-label": "Log lines; n and p go to the proving lines" }, this.space);
    this.rail = make("div", { className: "rail", "aria-hidden": "true" });
    const pane = make("div", { className: "pane" }, this.scroll, this.rail);
    for (const old of place.querySelectorAll(".lines, .empty")) old.remove();
    place.append(pane);
    place.style.setProperty("--digits", `${Math.max(4, String(this.pages.total).length) * 8 + 22}px`);
    this.tools();
    this.scroll.addEventListener("scroll", () => this.scrolled());
    this.scroll.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.scroll.addEventListener("keydown", (event) => this.key(event));
    this.body.addEventListener("click", (event) => this.click(event));
    this.rail.addEventListener("click", (event) => this.move((event.offsetY / this.rail.clientHeight) * this.rows.count - this.visible() / 2));
    new ResizeObserver(() => this.size()).observe(this.scroll);
  }

  tools() {
    this.find = make("input", { id: "find", type: "search", placeholder: "Find, or :line", autocomplete: "off", spellcheck: false, "aria-label": "Find in the log" });
    this.count = make("span", { className: "count", role: "status" });
    this.fold = make("button", { type: "button", textContent: "Fold steps", hidden: true, onclick: () => this.foldAll() });
    const bar = place.querySelector(".tools");
    if (inOrder.length) {
      bar.append(
        make("button", { type: "button", textContent: "‹", "aria-label": "Previous proving line (p)", onclick: () => this.step(-1) }),
        make("button", { type: "button", textContent: "proof ›", "aria-label": "Next proving line (n)", onclick: () => this.step(1) }),
      );
    }
    this.note = make("span", { className: "dim", role: "status" });
    bar.append(this.fold, this.find, this.count, this.note);
    let timer = 0;
    this.find.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => this.look(), 200); });
    this.find.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); clearTimeout(timer); if (this.find.value === this.words) this.hit(event.shiftKey ? -1 : 1); else this.look(); }
      if (event.key === "Escape") { this.find.value = ""; this.look(); this.scroll.focus(); }
    });
  }

  visible() { return this.scroll.clientHeight / ROW; }
  last() { return Math.max(0, this.rows.count - this.visible()); }
  height() { return Math.min(this.rows.count * ROW, MAX_HEIGHT); }
  scaled() { return this.rows.count * ROW > MAX_HEIGHT; }

  size() {
    this.space.style.height = `${this.height()}px`;
    this.move(this.top);
    this.ticks();
  }

  /** Put this row on top. */
  move(row) {
    this.top = Math.max(0, Math.min(this.last(), row));
    const room = this.height() - this.scroll.clientHeight;
    this.set = this.scaled() ? (this.top / Math.max(1, this.last())) * room : this.top * ROW;
    this.scroll.scrollTop = this.set;
    this.set = this.scroll.scrollTop;
    this.render();
  }

  scrolled() {
    const at = this.scroll.scrollTop;
    if (Math.abs(at - this.set) >= 1) {
      const room = this.height() - this.scroll.clientHeight;
      this.top = this.scaled() ? (at / Math.max(1, room)) * this.last() : at / ROW;
      this.set = at;
    }
    this.render();
  }

  wheel(event) {
    if (!this.scaled() || event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    event.preventDefault();
    this.move(this.top + (event.deltaMode === 1 ? event.deltaY : event.deltaY / ROW));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== this.scroll) return;
    const far = Math.max(1, Math.floor(this.visible()) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: far, PageUp: -far, " ": event.shiftKey ? -far : far };
    if (event.key in steps) this.move(this.top + steps[event.key]);
    else if (event.key === "Home") this.move(0);
    else if (event.key === "End") this.move(this.last());
    else return;
    event.preventDefault();
  }

  render() {
    const first = Math.max(0, Math.floor(this.top) - OVER);
    const end = Math.min(this.rows.count, Math.ceil(this.top + this.visible()) + OVER);
    const kept = new Map();
    for (let row = first; row < end; row += 1) {
      const what = this.rows.at(row);
      const key = what.line ?? `s${what.step}`;
      const old = this.shown.get(key);
      kept.set(key, old && old.version === this.version && !old.wait ? old : this.row(what));
    }
    this.shown = kept;
    const elements = [...kept.values()].map((item) => item.element);
    const same = elements.length === this.body.children.length && elements.every((element, at) => element === this.body.children[at]);
    if (!same) this.body.replaceChildren(...elements);
    this.body.style.transform = `translateY(${this.scroll.scrollTop - (this.top - first) * ROW}px)`;
  }

  row(what) {
    return what.line === undefined ? this.heading(what) : this.line(what.line);
  }

  heading({ step, block }) {
    const folded = this.rows.folded.has(step);
    const some = inOrder.filter((line) => line >= block.line && line < block.line + block.all).length;
    const small = make("small", { textContent: `${block.all.toLocaleString("en")} lines` });
    const button = make("button", { type: "button", "aria-expanded": String(!folded) }, `${folded ? "▸" : "▾"} ${this.rows.steps[step].name}`, small);
    if (some) button.append(make("small", { className: "hot", textContent: some === 1 ? "1 proof" : `${some} proofs` }));
    button.dataset.step = step;
    return { version: this.version, wait: false, element: make("div", { className: "ln step-head" }, button) };
  }

  line(number) {
    const line = this.pages.line(number);
    const text = make("span");
    if (line) this.write(text, line.text);
    else text.textContent = number > this.pages.ready && this.pages.ready ? "… being masked" : "…";
    if (line?.cut) text.append(make("i", { className: "cut", textContent: "this line goes on; the rest is not shown" }));
    const [from, to] = this.picked;
    const names = ["ln", proved.has(number) && "proof", number === this.here && "here", number >= from && number <= to && "picked", !line && "wait"];
    const link = make("a", { href: `#L${number}`, textContent: number, tabIndex: -1, "aria-label": `Line ${number}` });
    const element = make("div", { className: names.filter(Boolean).join(" "), id: `L${number}` }, link, text);
    return { version: this.version, wait: !line, element };
  }

  write(place, text) {
    const low = this.words ? text.toLowerCase() : "";
    if (low.length !== text.length) { place.textContent = text; return; }
    const wanted = this.words.toLowerCase();
    let from = 0;
    for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, from)) {
      place.append(text.slice(from, at), make("mark", { textContent: text.slice(at, at + wanted.length) }));
      from = at + wanted.length;
    }
    place.append(text.slice(from));
  }

  /** New lines have come, or nothing did and it is time to ask again. */
  came() {
    const { pages } = this;
    if (pages.complete && pages.total !== this.rows.total) {
      this.rows = new Rows(pages.total, this.rows.steps);
      this.size();
    }
    const part = Math.floor((100 * pages.ready) / Math.max(1, pages.total));
    this.note.textContent = pages.trouble || (pages.complete ? "" : `masking secrets: ${part} %`);
    if (pages.complete && !this.asked) { this.asked = true; this.steps(); }
    this.render();
  }

  async steps() {
    const found = await ask(`/api/reports/${id}/steps`).catch(() => ({ steps: [] }));
    if (!found.steps.length) return;
    const line = this.rows.at(Math.floor(this.top)).line ?? 1, part = this.top - Math.floor(this.top);
    this.rows = new Rows(this.rows.total, found.steps);
    this.fold.hidden = false;
    this.version += 1;
    this.size();
    if (this.top >= 1) this.move(this.rows.of(line) + part);
  }

  foldAll() {
    const what = this.rows.at(Math.floor(this.top));
    const line = this.here || (what.line ?? what.block.line);
    const folded = this.rows.toggleAll();
    this.fold.textContent = folded ? "Unfold steps" : "Fold steps";
    this.version += 1;
    this.size();
    if (!folded) this.go(line, { quiet: true }); else this.move(0);
    say(folded ? "All steps are folded" : "All steps are open");
  }

  click(event) {
    const head = event.target.closest("button[data-step]");
    if (head) {
      this.rows.toggle(Number(head.dataset.step));
      this.version += 1;
      this.size();
      this.body.querySelector(`button[data-step="${head.dataset.step}"]`)?.focus();
      return;
    }
    const link = event.target.closest("a");
    if (!link) return;
    event.preventDefault();
    const line = Number(link.textContent);
    const from = event.shiftKey && this.picked[0] > 0 ? Math.min(this.picked[0], line) : line;
    const to = event.shiftKey && this.picked[0] > 0 ? Math.max(this.picked[0], line) : line;
    this.pick(from, to);
    history.replaceState(null, "", from === to ? `#L${from}` : `#L${from}-L${to}`);
    say(`The address now leads to line ${from}`);
  }

  pick(from, to) {
    this.picked = [from, to];
    this.here = from;
    this.version += 1;
    this.render();
  }

  /** Show a line a third from the top. */
  go(line, { quiet = false } = {}) {
    if (!(line >= 1 && line <= this.rows.total)) return;
    const row = this.rows.of(line);
    this.here = line;
    this.version += 1;
    this.space.style.height = `${this.height()}px`;
    this.move(row - this.visible() / 3);
    if (!quiet) say(`Line ${line}. ${this.pages.line(line)?.text.slice(0, 200) ?? ""}`);
  }

  /** To the next or previous proving line. */
  step(way) {
    if (!inOrder.length) { say("No line proves anything here"); return; }
    const next = way > 0 ? inOrder.find((line) => line > this.here) ?? inOrder[0] : inOrder.findLast((line) => line < this.here) ?? inOrder.at(-1);
    this.go(next);
    history.replaceState(null, "", `#L${next}`);
  }

  async look() {
    const words = this.find.value;
    const number = /^:(\d+)$/.exec(words);
    this.words = number ? "" : words;
    if (number) { this.go(Number(number[1])); this.count.textContent = ""; return; }
    this.hits = [];
    this.version += 1;
    if (!words) { this.count.textContent = ""; this.render(); this.ticks(); return; }
    try {
      const found = await ask(`/api/reports/${id}/find?q=${encodeURIComponent(words.slice(0, 1000))}`);
      if (words !== this.words) return;
      this.hits = found.lines;
      this.more = found.more;
      this.ticks();
      if (this.hits.length) this.hit(0); else { this.count.textContent = "nowhere"; this.render(); }
    } catch (error) { this.count.textContent = error.message; }
  }

  hit(way) {
    const { hits } = this;
    if (!hits.length) return;
    let next = way < 0 ? hits.findLastIndex((line) => line < this.here) : hits.findIndex((line) => (way ? line > this.here : line >= this.here));
    if (next < 0) next = way < 0 ? hits.length - 1 : 0;
    this.count.textContent = `${next + 1} of ${hits.length}${this.more ? "+" : ""}`;
    this.go(hits[next]);
  }

  /** Marks beside the scroll bar. */
  ticks() {
    const tick = (line, name) => {
      const mark = make("i", { className: name });
      mark.style.top = `${(100 * (line - 1)) / Math.max(1, this.rows.total)}%`;
      return mark;
    };
    const every = Math.max(1, Math.ceil(this.hits.length / 300));
    this.rail.replaceChildren(...this.hits.filter((_, at) => at % every === 0).map((line) => tick(line, "found")), ...inOrder.map((line) => tick(line, "proof")));
  }
}

function hashed(viewer) {
  const found = /^#L(\d+)(?:-L?(\d+))?$/.exec(location.hash);
  if (!found) return false;
  const from = Number(found[1]), to = Number(found[2] ?? found[1]);
  viewer.picked = [Math.min(from, to), Math.max(from, to)];
  viewer.go(Math.min(from, to), { quiet: true });
  return true;
}

const total = Number(place.dataset.total);
if (total > 0 && !/not kept/.test(place.querySelector(".empty")?.textContent ?? "")) {
  const viewer = new Viewer(total);
  if (!hashed(viewer)) {
    if (proof.length) viewer.go(proof[0], { quiet: true });
    else viewer.move(viewer.last());
  }
  addEventListener("hashchange", () => hashed(viewer));
  document.querySelector(".answer").addEventListener("click", (event) => {
    const link = event.target.closest("a[data-line]");
    if (!link) return;
    event.preventDefault();
    viewer.go(Number(link.dataset.line));
    history.replaceState(null, "", `#L${link.dataset.line}`);
    place.scrollIntoView({ block: "nearest" });
  });
  document.addEventListener("keydown", (event) => {
    if (writing(event) || document.querySelector("dialog[open]")) return;
    if (event.key === "n") viewer.step(1);
    else if (event.key === "p") viewer.step(-1);
    else if (event.key === "f" && !viewer.fold.hidden) viewer.foldAll();
    else if (event.key === "g") viewer.go(1);
    else if (event.key === "G") viewer.go(viewer.rows.total);
  });
}

// The way back to this report is this browser's own business: the server lists no reports.
const headline = document.getElementById("headline");
let known = [];
try { known = JSON.parse(stored.get("logkb-recent") ?? "[]"); } catch { /* somebody else's words */ }
known = (Array.isArray(known) ? known : []).filter((item) => item.id !== id);
known.unshift({ id, title: headline.dataset.title, source: headline.dataset.source, time: Date.now() });
stored.set("logkb-recent", JSON.stringify(known.slice(0, 8)));
