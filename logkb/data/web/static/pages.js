// The lines of a log, fetched a page at a time; a bounded number of pages is kept.
import { ask } from "./dom.js";

const PAGE = 500;
const KEPT = 40;
const AGAIN = 700;

export class Pages {
  /** `changed` is called when lines have come. */
  constructor(id, total, changed) {
    Object.assign(this, { id, total, changed, ready: 0, complete: false, trouble: "" });
    this.pages = new Map();
    this.asking = new Map();
  }

  /** The line with this number, or null while it is on its way. */
  line(number) {
    const page = Math.floor((number - 1) / PAGE);
    const lines = this.pages.get(page);
    const found = lines?.[number - 1 - page * PAGE];
    if (lines) { this.pages.delete(page); this.pages.set(page, lines); }
    if (!found && !(lines && this.timer)) this.fetch(page);
    return found ?? null;
  }

  async fetch(page) {
    if (this.asking.has(page) || this.asking.size > 3) return;
    this.asking.set(page, true);
    try {
      const found = await ask(`/api/reports/${this.id}/lines?start=${page * PAGE + 1}&count=${PAGE}`);
      this.trouble = "";
      this.ready = found.ready;
      this.complete = found.complete;
      if (found.complete) this.total = found.ready;
      this.pages.set(page, found.lines);
      while (this.pages.size > KEPT) this.pages.delete(this.pages.keys().next().value);
    } catch (error) {
      this.trouble = error.message;
      await new Promise((go) => { setTimeout(go, AGAIN); });
    }
    this.asking.delete(page);
    this.changed();
    // While secrets are still being masked, ask again: for more lines, and for the end of it.
    if (!this.complete && !this.timer) {
      this.timer = setTimeout(() => { this.timer = 0; this.fetch(page); }, AGAIN);
    }
  }
}
