// Which row shows what: lines in order, a heading before each step, and folded steps without their lines.

/** Maps rows to lines and back; everything is a binary search over the steps. */
export class Rows {
  constructor(total, steps = []) {
    this.total = total;
    this.folded = new Set();
    this.steps = steps.filter((step) => step.line <= total);
    this.lay();
  }

  /** Recount after something was folded. */
  lay() {
    const first = this.steps.length ? this.steps[0].line : this.total + 1;
    // One block a step: its first row (the heading), and the lines below it.
    this.blocks = [{ row: 0, line: 1, lines: first - 1, step: -1 }];
    let row = first - 1;
    this.steps.forEach((step, index) => {
      const end = index + 1 < this.steps.length ? this.steps[index + 1].line : this.total + 1;
      const lines = this.folded.has(index) ? 0 : end - step.line;
      this.blocks.push({ row, line: step.line, lines, step: index, all: end - step.line });
      row += 1 + lines;
    });
    this.count = row;
  }

  static last(blocks, key, value) {
    let low = 0, high = blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (blocks[middle][key] <= value) low = middle; else high = middle - 1;
    }
    return blocks[low];
  }

  /** `{line}` or `{step}` of a row. */
  at(row) {
    const block = Rows.last(this.blocks, "row", row);
    if (block.step < 0) return { line: 1 + row };
    return row === block.row ? { step: block.step, block } : { line: block.line + row - block.row - 1 };
  }

  /** The row of a line; its step is unfolded. */
  of(line) {
    let block = Rows.last(this.blocks, "line", line);
    if (block.step >= 0 && this.folded.delete(block.step)) {
      this.lay();
      block = Rows.last(this.blocks, "line", line);
    }
    return block.step < 0 ? line - 1 : block.row + 1 + line - block.line;
  }

  toggle(step) {
    if (!this.folded.delete(step)) this.folded.add(step);
    this.lay();
  }

  /** Fold all steps, or unfold them when all are folded; returns whether they are folded now. */
  toggleAll() {
    const fold = this.folded.size < this.steps.length;
    this.folded = new Set(fold ? this.steps.keys() : []);
    this.lay();
    return fold;
  }
}
